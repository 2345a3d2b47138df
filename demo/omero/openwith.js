/** Loaded by OMERO.web's webclient and by OMERO.iviewer: which objects can be opened with Cytopane. */
OME.setOpenWithEnabledHandler('Cytopane', (selected) => {
  const types = ['image', 'dataset', 'well'];
  return selected.length > 0 && selected.every(({ type }) => types.includes(type));
});
OME.setOpenWithUrlProvider('Cytopane', (selected, url) => {
  const query = selected.map(({ type, id }) => `${type}=${id}`).join('&');
  return url + (url.includes('?') ? '&' : '?') + query;
});
