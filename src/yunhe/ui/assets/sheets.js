// A picture that is wider than its place says so and shows on which side there is more; without script it always says so. It is
// opened where the case stands.
function showNow(sheet) {
  const now = sheet.querySelector(".yh-d-is-now")?.getBoundingClientRect();
  if (!now?.width) return;
  const place = sheet.getBoundingClientRect();
  sheet.scrollLeft += now.left + now.width / 2 - (place.left + place.width / 2);
}

export function watchSheets(root) {
  for (const sheet of root.querySelectorAll(".yh-diagram-sheet")) {
    const frame = sheet.parentElement;
    const hint = frame.previousElementSibling;
    const look = () => {
      const hidden = sheet.scrollWidth - sheet.clientWidth;
      hint.hidden = hidden < 2;
      frame.classList.toggle("yh-more-right", hidden - sheet.scrollLeft > 1);
      frame.classList.toggle("yh-more-left", hidden > 1 && sheet.scrollLeft > 1);
    };
    sheet.addEventListener("scroll", look, { passive: true });
    new ResizeObserver(look).observe(sheet);
    const fold = sheet.closest("details");
    if (fold) fold.addEventListener("toggle", () => { if (fold.open) showNow(sheet); });
    else showNow(sheet);
  }
}
