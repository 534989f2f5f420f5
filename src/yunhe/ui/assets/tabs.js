// Where tabs are wider than the page, the one that is shown is in sight.
export function watchTabs(root) {
  for (const tabs of root.querySelectorAll(".yh-tabs")) {
    const here = tabs.querySelector("a[aria-current]")?.getBoundingClientRect();
    const place = tabs.getBoundingClientRect();
    if (here && (here.left < place.left || here.right > place.right)) tabs.scrollLeft += here.left + here.width / 2 - (place.left + place.width / 2);
  }
}
