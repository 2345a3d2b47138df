import { expect } from '@open-wc/testing';
import { scene } from './viewer-harness.ts';

afterEach(() => document.body.replaceChildren());

describe('the help of a viewer', () => {
  const open = async () => {
    const view = await scene({ images: [{ data: new Uint8Array(8), shape: [2, 2, 2] }] });
    const { element } = view;
    element.shortcuts = { 'tool.paint': ['N'], 'tool.erase': [] };
    await element.updateComplete;
    await view.key('?');
    const dialog = () => element.renderRoot.querySelector<HTMLDialogElement>('dialog.help');
    return { view, element, dialog };
  };

  it('lists the keys as the host has set them, in the language of the page', async () => {
    const { element, dialog } = await open();
    expect(dialog()?.open).to.equal(true);
    const keys = (text: string) => {
      const terms = [...(dialog()?.querySelectorAll('dt') ?? [])];
      const term = terms.find(({ textContent }) => textContent === text);
      return [...(term?.nextElementSibling?.querySelectorAll('kbd') ?? [])].map((key) => key.textContent);
    };
    expect(keys('Brush')).to.deep.equal(['N']);
    expect(keys('Eraser')).to.deep.equal([]);
    expect(keys('Fit to window')).to.deep.equal(['Home']);
    element.lang = 'de';
    element.requestUpdate();
    await element.updateComplete;
    expect(keys('Pinsel')).to.deep.equal(['N']);
    expect(keys('Ganz zeigen')).to.deep.equal(['Pos1']);
    expect(keys('Cursor nach links')).to.deep.equal(['Umschalt+←']);
    expect(keys('Verkleinern')).to.deep.equal(['-']);
  });

  it('passes axe and closes', async () => {
    const { element, dialog } = await open();
    await expect(element as unknown as Element).to.be.accessible();
    dialog()?.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await element.updateComplete;
    expect(dialog()).to.equal(null);
  });
});

describe('keys of a pane', () => {
  it('step through time points and show only selected cells', async () => {
    const view = await scene({
      images: [{ data: new Uint8Array(12), shape: [3, 1, 1, 2, 2] }],
      labels: [{ data: new Uint32Array(4), shape: [2, 2] }],
    });
    const { model } = view.element;
    await view.key('>');
    await view.key('>');
    await view.key('<');
    expect(model.cursor.t).to.equal(1);
    await view.key('s');
    expect(model.labels[0].onlySelected).to.equal(true);
    await view.key('s');
    expect(model.labels[0].onlySelected).to.equal(false);
  });
});
