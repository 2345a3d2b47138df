/** The value of a colour property of an element's surroundings, resolved: canvases take neither `light-dark()` nor `var()`. */
export function canvasColor(place: Element, property: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${property})`;
  place.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
