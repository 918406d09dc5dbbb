// Draws the charts that the server describes. A chart whose description stays the same takes new figures only.
/* global vega, vegaLite, vegaInterpreter */

import { locale } from "./numbers.js";

const views = new Map(); // name -> { key, view }
const FONT = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif";
const INK = "#222222";
const CONFIG = {
  background: null,
  aria: false,
  font: FONT,
  view: { stroke: null },
  axis: { labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelColor: INK, titleColor: INK, gridColor: "#e3e3e3", domainColor: INK, tickColor: INK },
  legend: { labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelColor: INK, titleColor: INK },
};

// Take the named rows out of a description: what is left tells whether a chart must be drawn anew.
function parted(spec) {
  const rows = {};
  const bare = JSON.parse(JSON.stringify(spec), (key, value) => {
    if (key === "data" && value && value.name && value.values) {
      rows[value.name] = value.values;
      return { name: value.name };
    }
    return value;
  });
  return { bare, rows };
}

function figureOf(name, host, chart) {
  let figure = document.getElementById(`figure-${name}`);
  if (!figure) {
    figure = document.createElement("figure");
    figure.id = `figure-${name}`;
    figure.innerHTML = '<figcaption><strong></strong><span></span></figcaption><div class="plot" role="img"></div>';
    figure.querySelector(".plot").id = `chart-${name}`;
    host.append(figure);
  }
  figure.querySelector("strong").textContent = chart.title;
  figure.querySelector("span").textContent = chart.says;
  const plot = figure.querySelector(".plot");
  legend(figure, chart.legend ?? []);
  plot.setAttribute("aria-label", `${chart.title}. ${chart.says}`);
  return plot;
}

function legend(figure, entries) {
  figure.querySelector("ul.legend")?.remove();
  if (!entries.length) return;
  const list = document.createElement("ul");
  list.className = "legend";
  for (const { label, colour } of entries) {
    const item = document.createElement("li");
    const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    swatch.setAttribute("class", "swatch");
    swatch.setAttribute("viewBox", "0 0 12 12");
    swatch.setAttribute("aria-hidden", "true");
    const square = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [key, value] of Object.entries({ width: 12, height: 12, rx: 2, fill: colour })) square.setAttribute(key, value);
    swatch.append(square);
    item.append(swatch, ` ${label}`);
    list.append(item);
  }
  figure.append(list);
}

// A chart takes the width of its place, which may come, or change, after it was drawn.
const widths = new ResizeObserver(() => window.dispatchEvent(new Event("resize")));

async function draw(name, host, chart) {
  const plot = figureOf(name, host, chart);
  widths.observe(plot);
  const { bare, rows } = parted(chart.spec);
  const key = JSON.stringify(bare);
  let kept = views.get(name);
  if (!kept || kept.key !== key || !plot.isConnected || kept.plot !== plot) {
    kept?.view.finalize();
    plot.replaceChildren();
    const compiled = vegaLite.compile(bare, { config: CONFIG }).spec;
    const view = new vega.View(vega.parse(compiled, null, { ast: true }), {
      expr: vegaInterpreter.expressionInterpreter,
      renderer: "svg",
      container: plot,
      hover: true,
      logLevel: vega.Error,
      locale: vega.locale ? vega.locale(locale) : undefined,
    });
    kept = { key, view, plot };
    views.set(name, kept);
  }
  for (const [data, values] of Object.entries(rows)) kept.view.data(data, values);
  await kept.view.runAsync();
  // What it shows is said by the label around it and by the tables.
  plot.querySelector("svg")?.setAttribute("aria-hidden", "true");
}

// Draw all charts below an element.
export async function drawAll(element) {
  for (const script of element.querySelectorAll("script.chart-data")) {
    const host = document.getElementById(script.dataset.host);
    const charts = JSON.parse(script.textContent);
    if (!host) continue;
    for (const [name, chart] of Object.entries(charts)) await draw(name, document.getElementById(`figure-${name}`)?.parentElement ?? host, chart);
    document.body.dispatchEvent(new CustomEvent("drawn", { detail: host.id }));
    if (host.id === "charts-base") {
      for (const figure of [...host.children]) if (!(figure.id.replace("figure-", "") in charts)) figure.remove();
    }
  }
}

// Show a month of the map.
export async function showMonth(month) {
  const kept = views.get("map");
  if (kept) await kept.view.signal("month", month).runAsync();
}
