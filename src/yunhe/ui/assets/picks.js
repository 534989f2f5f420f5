// The boxes of a list that several lines are chosen with: how many are, and all of the page at once.
export function watchPicks(root) {
  const bar = root.querySelector("[data-picks]");
  if (!bar) return;
  const boxes = [...root.querySelectorAll("input[name=pick]")];
  const every = bar.querySelector("[data-pick-all]");
  const told = bar.querySelector("[data-pick-count]");
  const buttons = bar.querySelectorAll("[data-bulk]");
  const show = () => {
    const count = boxes.filter((box) => box.checked).length;
    told.textContent = count ? told.dataset.said.replace("0", count) : "";
    every.checked = count > 0 && count === boxes.length;
    every.indeterminate = count > 0 && count < boxes.length;
    for (const button of buttons) button.disabled = !count;
  };
  every.closest("label").hidden = false;
  every.addEventListener("change", () => { for (const box of boxes) box.checked = every.checked; show(); });
  for (const box of boxes) box.addEventListener("change", show);
  show();
}
