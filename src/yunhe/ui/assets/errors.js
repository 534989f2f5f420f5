// The error summary of a refused form gets the focus, else what came of an act, unless the address names another place.
// A part of a page that could not be had says why beside what asked for it: what, where and how to mend it, in the house's
// own words where the server said them. What was typed stays, and is kept in this tab where the way leads to another page.
import { keepTyped } from "./sent.js";

const TYPING = "textarea, select, input:not([type=checkbox]):not([type=radio]):not([type=submit]):not([type=button])";
const PLACE = "[data-rows], .yh-progress, .yh-field";

function saidBy(xhr) {
  return new DOMParser().parseFromString(xhr.responseText ?? "", "text/html").querySelector("[data-problem]");
}

function fromTemplate(root, name, xhr) {
  const found = root.querySelector(`template[data-problem-${name}]`)?.content.cloneNode(true).firstElementChild ?? null;
  found?.querySelector("[data-trace]")?.append(`${xhr.status} ${xhr.getResponseHeader("X-Trace-Id") ?? ""}`);
  return found;
}

const titleOf = (one) => one.querySelector("strong")?.textContent;
const clear = (root) => { for (const one of root.querySelectorAll("main [data-problem-shown]")) one.remove(); };

// The way of the focus: to the message, unless it is in a field that somebody went on to meanwhile, or nobody asked (a poll).
function show(root, detail, said) {
  const place = root.querySelector(".yh-messages"), asked = detail.requestConfig?.triggeringEvent;
  const at = (asked?.target?.closest?.(PLACE) ?? detail.elt?.closest?.(PLACE)) || null;
  const known = root.querySelector("main [data-problem-shown]");
  if (!said || (!at && !place)) return;
  if (!asked && known && titleOf(known) === titleOf(said)) return; // a poll that fails again says nothing new
  clear(root);
  said.dataset.problemShown = "";
  const turn = said.querySelector("[data-turn]");
  if (turn) keepTyped(root);
  turn?.addEventListener("click", () => keepTyped(root)); // what was typed since
  said.querySelector("[data-again]")?.addEventListener("click", () => {
    const { target, type } = asked ?? {};
    clear(root);
    if (!target) return;
    target.focus?.();
    target.dispatchEvent(new Event(type, { bubbles: true, cancelable: true }));
  });
  if (!asked) said.querySelector("[data-again]")?.remove(); // it asks again by itself
  if (at) at.after(said); else place.append(said);
  const { activeElement } = root;
  if (asked && (activeElement === asked.target || !activeElement?.matches(TYPING))) said.focus();
}

export function watchErrors(root) {
  (root.getElementById("form-errors") ?? (location.hash ? null : root.querySelector("[data-result]")))?.focus();
  const { body } = root;
  body.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.xhr.status === 422 && saidBy(detail.xhr)) Object.assign(detail, { shouldSwap: false, isError: true });
  });
  body.addEventListener("htmx:responseError", ({ detail }) => {
    show(root, detail, saidBy(detail.xhr) ?? fromTemplate(root, "odd", detail.xhr));
  });
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    body.addEventListener(name, ({ detail }) => show(root, detail, fromTemplate(root, "away", detail.xhr)));
  }
  body.addEventListener("htmx:afterRequest", ({ detail }) => { if (detail.successful) clear(root); });
}
