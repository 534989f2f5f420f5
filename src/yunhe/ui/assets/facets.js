// On a narrow screen the facets start folded; without script they start open.
export function foldFacets(root) {
  if (!window.matchMedia("(max-width: 1000px)").matches) return;
  for (const fold of root.querySelectorAll(".yh-fold")) {
    if (!fold.querySelector("[aria-current], option[selected]:not([value=''])")) fold.open = false;
  }
}
