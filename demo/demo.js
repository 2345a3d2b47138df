/** Loads the example the visitor chooses; `?image=` names one of them or any address. */
const workbench = document.querySelector('cyto-workbench');
const buttons = [...document.querySelectorAll('nav button')];

async function show(button) {
  for (const other of buttons) other.setAttribute('aria-pressed', String(other === button));
  await customElements.whenDefined('cyto-workbench');
  try {
    await workbench.open(button.dataset.src);
  } catch (error) {
    // Another image was asked for meanwhile.
    if (error.kind === 'aborted') return;
    throw error;
  }
  workbench.viewer.model.setLayout(button.dataset.layout ?? 'xy');
  workbench.segmenter.minSize = Number(button.dataset.minSize ?? 15);
}

for (const button of buttons) button.addEventListener('click', () => show(button));

const wanted = new URLSearchParams(location.search).get('image');
if (wanted && !buttons.some((button) => button.dataset.src === wanted)) workbench.src = wanted;
else await show(buttons.find((button) => button.dataset.src === wanted) ?? buttons[0]);
