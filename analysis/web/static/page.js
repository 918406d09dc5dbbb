// What the page does besides asking the server: sliders and numbers follow each other, buttons send the form, the map plays.
/* global htmx */

import { drawAll, showMonth } from "./charts.js";
import { localise } from "./numbers.js";

const form = document.getElementById("form");
const status = document.getElementById("status");
const problem = document.getElementById("problem");
let ready = status.dataset.ready === "true";

// --- sliders and their numbers ---

const byId = (id) => document.getElementById(id);

function follow(event) {
  const input = event.target;
  if (input.matches?.("input.slider")) {
    const number = byId(input.dataset.for);
    number.value = input.value;
    number.dispatchEvent(new Event("input", { bubbles: true }));
  } else if (input.matches?.("input[type=number]")) {
    const slider = document.querySelector(`input.slider[data-for="${CSS.escape(input.id)}"]`);
    if (slider && document.activeElement !== slider) {
      if (Number(input.value) > Number(slider.max)) slider.max = input.value;
      if (Number(input.value) < Number(slider.min)) slider.min = input.value;
      slider.value = input.value;
    }
  }
}

function changed(event) {
  const input = event.target;
  if (!form.contains(input) || input.matches("[data-apart], input.slider")) return;
  if (event.type === "input" && input.type === "text") return; // a name counts when it is finished
  if (event.type === "change" && input.type !== "text") return;
  htmx.trigger(form, "ask");
}

document.addEventListener("input", (event) => {
  follow(event);
  changed(event);
});
document.addEventListener("change", changed);

// --- buttons ---

function send(action) {
  byId("action").value = action;
  byId("opened").value = [...form.querySelectorAll("details.design[open]")].map((one) => one.dataset.design).join(" ");
  openGroups = [...form.querySelectorAll("details.group")].map((one) => one.open);
  htmx.ajax("POST", "edit", { source: form, target: form, swap: "innerHTML" });
}

let openGroups = [];

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.action) send(button.dataset.action);
  if (button?.id === "play") play(button);
  if (button?.id === "copy") await copy(button);
});

async function copy(button) {
  const link = new URL(byId("share").getAttribute("href"), location.href).href;
  try {
    await navigator.clipboard.writeText(link);
    button.textContent = button.dataset.copied;
  } catch {
    byId("share").focus(); // no right to the clipboard: the link itself is there to be copied
  }
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("input")) event.preventDefault();
});

// --- the map ---

let timer = 0;

function showFrame(month) {
  const frames = byId("frames");
  const says = byId("month-says");
  if (!frames || !says) return;
  const frame = JSON.parse(frames.textContent)[month];
  says.textContent = says.dataset.words.replace("{month}", frame.month).replace("{share}", frame.share).replace("{mentees}", frame.mentees);
  localise(says);
  byId("month").setAttribute("aria-valuetext", says.textContent);
  showMonth(month);
}

function stop() {
  clearInterval(timer);
  timer = 0;
  const button = byId("play");
  if (button) button.textContent = button.dataset.play;
}

function play(button) {
  if (timer) return stop();
  const slider = byId("month");
  if (slider.value === slider.max) slider.value = 0;
  button.textContent = button.dataset.pause;
  timer = setInterval(() => {
    if (!slider.isConnected || slider.value === slider.max) return stop();
    slider.value = Number(slider.value) + 1;
    showFrame(Number(slider.value));
  }, 180);
}

document.addEventListener("input", (event) => {
  if (event.target.id === "month") {
    stop();
    showFrame(Number(event.target.value));
  }
});

// --- answers ---

const results = byId("results");

// Results may belong to the form ("shown"), be on their way ("pending"), or be of an earlier form, as this one was refused ("stale").
function belong(how) {
  results.dataset.belong = how;
  results.setAttribute("aria-busy", String(how === "pending"));
  byId("stale").hidden = how !== "stale";
}

let refused = "";

document.body.addEventListener("htmx:beforeRequest", (event) => {
  const path = event.detail.requestConfig.path;
  if (path === "answer") belong("pending");
  if (path === "answer" || path === "sure") status.textContent = ready ? status.dataset.working : status.dataset.compiling;
  if (path === "map") monthShown = Number(byId("month")?.value ?? 0);
});

let monthShown = 0;

document.body.addEventListener("htmx:afterRequest", (event) => {
  const path = event.detail.requestConfig.path;
  if (event.detail.successful && event.detail.xhr.status === 200) {
    ready = true;
    if (path === "answer") belong("shown");
    if (path === "sure") status.textContent = "";
  } else if (event.detail.xhr.status !== 204 && event.detail.failed) {
    status.textContent = "";
    refused = path;
    if (path === "answer") belong("stale");
  }
  if (event.detail.xhr.status === 503 && path === "answer") setTimeout(() => htmx.trigger(form, "ask"), 5000);
});

document.body.addEventListener("htmx:sendError", () => {
  status.textContent = "";
  belong("stale");
  problem.innerHTML = '<p class="problem"></p>';
  problem.firstChild.textContent = problem.dataset.lost;
});

// Say at its field too why something was refused, and open what hides the field.
function mark() {
  for (const one of form.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
  for (const one of form.querySelectorAll(".at-field")) one.remove();
  const said = problem.querySelector("[data-where]");
  if (!said) return;
  const at = refused === "upload" ? "upload" : said.dataset.where.replace(/\.(base)$/, "");
  const field = form.querySelector(`[data-path="${CSS.escape(at)}"]`);
  if (!field) return;
  for (let around = field.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
  field.querySelector("input:not([type=hidden]):not(.slider), select")?.setAttribute("aria-invalid", "true");
  const beside = said.cloneNode(true);
  beside.classList.add("at-field");
  beside.removeAttribute("data-where");
  field.append(beside);
}

document.body.addEventListener("htmx:afterSettle", async (event) => {
  const element = event.detail.elt;
  localise(element);
  if (element === problem || element.id === "problem") mark();
  if (element.id === "answer") mark();
  if (element === form) {
    const groups = form.querySelectorAll("details.group");
    if (groups.length === openGroups.length) groups.forEach((one, place) => (one.open = openGroups[place]));
    form.querySelector("[autofocus]")?.focus();
  }
  await drawAll(element);
  if (element.id === "map" && byId("month")) {
    byId("month").value = Math.min(monthShown, Number(byId("month").max));
    showFrame(Number(byId("month").value));
  }
  if (element.id === "sure") document.documentElement.dataset.drawn = String(Number(document.documentElement.dataset.drawn ?? 0) + 1);
});

localise(document.body);
