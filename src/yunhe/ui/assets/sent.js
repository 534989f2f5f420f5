// What was typed into a form that was sent and not taken (the session was over, the node did not answer) stays in this tab,
// for the same person, until the form is open again or one was taken. Files are not kept.
const PLACE = "yh-sent", LAST = "yh-sent-last", NEVER = ["csrfmiddlewaretoken", "next", "step"];

function read() {
  try { return JSON.parse(sessionStorage.getItem(PLACE)) ?? {}; } catch { return {}; }
}

function write(all) {
  try { sessionStorage.setItem(PLACE, JSON.stringify(all)); } catch { /* full or forbidden: the page still has it */ }
}

const personOf = (root) => root.querySelector("[data-person]")?.dataset.person ?? "";
const keyOf = (form, person) => `${person} ${new URL(form.action, location.href).pathname} ${form.querySelector("[name=ob]")?.value ?? ""}`;

const saidIn = (told) => JSON.stringify(told.filter(([name, value]) => name.startsWith("do-") && value).sort());
const texts = (form) => saidIn([...new FormData(form).entries()].filter(([, value]) => typeof value === "string"));

function remember(form, key) {
  const told = [...new FormData(form).entries()].filter(([name, value]) => typeof value === "string" && !NEVER.includes(name));
  if (!told.some(([name, value]) => name.startsWith("do-") && value)) return;
  write({ ...read(), [key]: told });
  sessionStorage.setItem(LAST, key);
}

function fill(form, told) {
  const left = [];
  for (const name of new Set(told.map(([one]) => one))) {
    const values = told.filter(([one]) => one === name).map(([, value]) => value);
    const inputs = [...form.elements].filter((one) => one.name === name && one.type !== "file");
    if (!inputs.length) left.push(...told.filter(([one]) => one === name));
    inputs.forEach((one, place) => {
      if (one.type === "checkbox" || one.type === "radio") one.checked = values.includes(one.value);
      else if (one.multiple) for (const option of one.options) option.selected = values.includes(option.value);
      else one.value = values[Math.min(place, values.length - 1)];
    });
  }
  return left;
}

// A table that had more rows is asked for with as many: the server draws them, then they are filled.
function addRows(form, told) {
  for (const table of form.querySelectorAll("[data-rows]")) {
    const keys = told.filter(([name]) => name === table.dataset.rows).map(([, value]) => value);
    const drawn = table.querySelectorAll(`input[name="${table.dataset.rows}"]`).length;
    for (const key of keys.slice(drawn)) {
      const input = document.createElement("input");
      Object.assign(input, { type: "hidden", name: table.dataset.rows, value: key });
      table.append(input);
    }
    if (keys.length > drawn) table.dispatchEvent(new Event("yh:rows"));
  }
}

function putBack(form, told) {
  for (const one of form.elements) if (one.type === "checkbox" && one.name.startsWith("do-") && !told.some(([name]) => name === one.name)) one.checked = false;
  let left = fill(form, told);
  form.querySelector("[data-put-back]")?.removeAttribute("hidden");
  form.dispatchEvent(new Event("input", { bubbles: true })); // it is to be kept as if it were typed now
  const redraw = () => form.querySelector("[data-steers]")?.dispatchEvent(new Event("change", { bubbles: true }));
  const ask = () => { addRows(form, told); redraw(); };
  if (document.readyState === "complete") ask();
  else addEventListener("load", () => { setTimeout(ask); }); // nobody listens before
  document.body.addEventListener("htmx:oobAfterSwap", () => { // before the next redraw is asked for
    const before = left.length;
    if (before) left = fill(form, left);
    if (left.length && left.length < before) redraw(); // what came back may bring more fields with it
  });
}

// What stands in the forms of the page, for when its way leads to another page and back.
export function keepTyped(root) {
  const person = personOf(root);
  if (person) for (const form of root.querySelectorAll("form[data-sent]")) remember(form, keyOf(form, person));
}

export function watchSent(root) {
  const person = personOf(root), all = read(), keys = Object.keys(all);
  const note = root.querySelector("[data-kept-here]");
  if (note) note.hidden = !keys.length;
  if (!person) return;
  const mine = Object.fromEntries(Object.entries(all).filter(([key]) => key.startsWith(`${person} `)));
  const forms = [...root.querySelectorAll("form[data-sent]")], last = sessionStorage.getItem(LAST);
  const isHere = forms.some((form) => keyOf(form, person) === last);
  if (!isHere && root.querySelector(".yh-message-success, p[data-result], [data-left]")) delete mine[last];
  for (const form of forms) {
    const key = keyOf(form, person);
    if (mine[key] && !("answered" in form.dataset) && texts(form) !== saidIn(mine[key])) putBack(form, mine[key]);
    delete mine[key];
    form.addEventListener("submit", () => remember(form, key));
  }
  if (keys.length) write(mine);
}
