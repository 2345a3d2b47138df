/**
 * The page that OMERO.web opens: `?image=1&image=2`, `?dataset=3`, `?well=4`. OMERO.web is taken to live at the root of
 * the same server; an installation with a prefix says so in the entry's address: `…/omero/index.html?server=/omero/`.
 */
import { objectsOfAddress } from '../omero.js';

const query = new URLSearchParams(location.search);
const language = query.get('lang') ?? navigator.language.slice(0, 2);
document.documentElement.lang = language === 'de' ? 'de' : 'en';
await customElements.whenDefined('cyto-omero-panel');
const panel = document.querySelector('cyto-omero-panel');
const server = new URL(query.get('server') ?? panel.server, location.href);
// Another address in a link must not get a password.
if (server.origin === location.origin) panel.server = server.href;
panel.objects = objectsOfAddress(query);
panel.addEventListener('load', () => {
  const image = document.querySelector('cyto-workbench').viewer.model.images.at(0);
  if (image) document.title = `${image.volume.name} · Cytopane`;
});
