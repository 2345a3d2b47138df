/**
 * A page with the hooks of OMERO.web's webclient that an entry of `omero.web.open_with` meets: its script is loaded as
 * a classic script and calls `OME.setOpenWithEnabledHandler` and `OME.setOpenWithUrlProvider`; a menu asks what they
 * set, or goes by `supported_objects` and `?type=id`. Written from the documented behaviour.
 */
export const webclientPage = `<!doctype html>
<html lang="en">
  <title>Webclient</title>
  <form>
    <label><input type="checkbox" data-type="image" value="101" />nuclei</label>
    <label><input type="checkbox" data-type="image" value="102" />stack</label>
    <label><input type="checkbox" data-type="dataset" value="11" />dataset</label>
    <label><input type="checkbox" data-type="project" value="1" />project</label>
  </form>
  <ul id="open-with"></ul>
  <script>
    const WEBCLIENT = { OPEN_WITH: [] };
    const entry = (id) => WEBCLIENT.OPEN_WITH.filter((other) => other.id === id);
    const OME = {
      setOpenWithEnabledHandler: (id, handler) => entry(id).forEach((found) => { found.isEnabled = handler; }),
      setOpenWithUrlProvider: (id, provider) => entry(id).forEach((found) => { found.getUrl = provider; }),
    };
    const selected = () =>
      [...document.querySelectorAll('input:checked')].map(({ dataset, value, parentElement }) => ({
        id: Number(value), type: dataset.type, name: parentElement.textContent,
      }));
    const enabled = (found) => {
      const objects = selected();
      if (found.isEnabled) return found.isEnabled(objects, () => {});
      const kind = objects.at(-1)?.type + (objects.length > 1 ? 's' : '');
      return (found.supported_objects ?? []).some((supported) => supported.includes(kind));
    };
    const show = () => {
      const menu = document.getElementById('open-with');
      menu.replaceChildren(...WEBCLIENT.OPEN_WITH.map((found) => {
        const button = document.createElement('button');
        button.textContent = found.label ?? found.id;
        button.disabled = !enabled(found);
        button.onclick = () => {
          const query = selected().map(({ type, id }) => type + '=' + id).join('&');
          const url = found.getUrl ? found.getUrl(selected(), found.url) : found.url + '?' + query;
          if (typeof url === 'function') url();
          else window.open(url, '_blank');
        };
        return button;
      }));
    };
    document.querySelector('form').addEventListener('change', show);
    fetch('../webgateway/open_with/').then((answer) => answer.json()).then(async (answer) => {
      WEBCLIENT.OPEN_WITH = answer.open_with_options;
      for (const { script_url } of WEBCLIENT.OPEN_WITH) {
        const script = document.createElement('script');
        script.src = script_url;
        document.head.append(script);
        await new Promise((resolve) => { script.onload = resolve; });
      }
      show();
    });
  </script>
</html>`;
