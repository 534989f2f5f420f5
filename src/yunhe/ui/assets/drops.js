// Open menus close with Escape or a click beside them.
const OPEN = ".yh-drop[open], .yh-menu[open]";

export function watchDrops(root) {
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const drop of root.querySelectorAll(OPEN)) {
      drop.open = false;
      drop.querySelector("summary").focus();
    }
  });
  root.addEventListener("click", (event) => {
    for (const drop of root.querySelectorAll(OPEN)) {
      if (!drop.contains(event.target)) drop.open = false;
    }
  });
}
