// Draws the three plots from the figures in #line and answers the buttons. Asks the network for nothing.
"use strict";
(() => {
  const line = JSON.parse(document.getElementById("line").textContent);
  const root = document.documentElement;
  const isTouched = matchMedia("(pointer: coarse)").matches;
  const state = { every: line.first, view: "lines", beside: "on", source: "", hidden: new Set(line.labels.filter((l) => !l.isShown).map((l) => l.name)) };
  // on a narrow screen days stand too close: show the next length of period, where there are enough of it
  const room = document.getElementById("shares").clientWidth / 2.5;
  const longer = line.lengths.slice(line.lengths.indexOf(line.first) + 1).find((every) => line.periods[every].x.length >= 12);
  if (line.periods[line.first].x.length > room && longer) state.every = longer;
  const plots = ["index", "shares", "volume"].filter((id) => id !== "index" || line.hasIndex);
  const FONT = '"page text", system-ui, sans-serif';
  const DASHES = { solid: "none", dash: "8 4", dot: "3 3", dashdot: "8 3 3 3" };
  const DAY = 86400000;
  const BAR = { day: DAY, week: 6.4 * DAY, month: 27 * DAY };
  const HOVER = "%{fullData.name} <b>%{text}</b><extra></extra>";
  // a week is named by the year of its Thursday, where it is drawn (ISO 8601)
  const TITLE = { day: "%{x|%Y-%m-%d}", week: "%{x|%Y}-W%{x|%V}", month: "%{x|%Y-%m}" };

  const say = (pair) => pair[root.lang === "ko" ? 1 : 0];
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  // plotly reads a few tags in names; a label is text and nothing else
  const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const faded = (hex) => `rgba(${[1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)).join(",")},0.16)`;

  // Runs of neighbours with an interval, [first, last]: a band is broken at every gap
  function runs(band) {
    const found = [];
    band.low.forEach((low, i) => {
      if (low === null) return;
      if (i > 0 && band.low[i - 1] !== null) found[found.length - 1][1] = i;
      else found.push([i, i]);
    });
    return found;
  }

  // One closed shape for each run, nulls between them; a run of one point is an upright stroke
  function bandTrace(x, band, fill) {
    const xs = [], ys = [];
    for (const [first, last] of runs(band)) {
      for (let i = first; i <= last; i++) { xs.push(x[i]); ys.push(band.high[i]); }
      for (let i = last; i >= first; i--) { xs.push(x[i]); ys.push(band.low[i]); }
      xs.push(x[first], null); ys.push(band.high[first], null);
    }
    return { x: xs, y: ys, mode: "lines", line: { width: 1, color: fill }, fill: "toself", fillcolor: fill,
      hoverinfo: "skip" };
  }

  function spoken(band, unit) {
    return band.value.map((value, i) => {
      if (value === null) return "";
      const shown = `${value.toFixed(1)}${unit}`;
      return band.low[i] === null ? shown : `${shown} (${band.low[i].toFixed(1)}–${band.high[i].toFixed(1)})`;
    });
  }

  // The line, broken at gaps, and dots for points that stand alone between them
  function valueTraces(x, band, name, paint, dash, unit) {
    const isAlone = (value, i) => value !== null && band.value[i - 1] == null && band.value[i + 1] == null;
    const alone = band.value.map((value, i) => (isAlone(value, i) ? value : null));
    return [{ x, y: band.value, name, mode: "lines", connectgaps: false, text: spoken(band, unit),
      line: { color: paint, dash, width: 2 }, hovertemplate: HOVER },
    { x, y: alone, mode: "markers", marker: { color: paint, size: 6 }, hoverinfo: "skip" }];
  }

  // The other estimate, thin and dotted
  function besideTrace(x, values, name, paint, unit) {
    const text = values.map((value) => (value === null ? "" : `${value.toFixed(1)}${unit}`));
    return { x, y: values, name: `${name}, ${say(line.words.beside)}`, mode: "lines", connectgaps: false, text,
      line: { color: paint, dash: "dot", width: 1.1 }, hovertemplate: HOVER };
  }
  // A source is followed by the longest length of period alone
  const current = () => (state.source === "" ? line.periods[state.every] : line.sources[Number(state.source)]);
  const besides = (now) => now.beside && state.beside === "on" && state.view === "lines";

  function indexTraces(now) {
    const name = plain(say(line.words.index));
    const thin = besides(now) ? [besideTrace(now.x, now.beside.index, name, colour("soft"), "")] : [];
    return [bandTrace(now.x, now.index, colour("band")), ...valueTraces(now.x, now.index, name, colour("ink"), "solid", ""), ...thin, ...forecastTraces(now)];
  }

  // Dashed, with a pale band of its own: what is expected, not what was counted
  function forecastTraces(now) {
    if (!now.forecast) return []; // a source has none
    const { x, ...band } = now.forecast;
    return [bandTrace(x, band, faded("#0b5cad")),
      { x, y: band.value, name: plain(say(line.words.forecast)), mode: "lines", text: spoken(band, ""),
        line: { color: colour("press"), dash: "dash", width: 2 }, hovertemplate: HOVER }];
  }

  function shareTraces(now) {
    return line.labels.flatMap((label, k) => {
      const band = now.shares[k], name = plain(label.name);
      if (state.hidden.has(label.name)) return [];
      if (state.view === "stacked") return [{ x: now.x, y: band.value, text: spoken(band, " %"), name, type: "bar",
        width: BAR[state.every], marker: { color: label.colour, line: { width: 0 } }, textposition: "none", hovertemplate: HOVER }];
      const thin = besides(now) ? [besideTrace(now.x, now.beside.shares[k], name, label.colour, " %")] : [];
      return [bandTrace(now.x, band, faded(label.colour)), ...valueTraces(now.x, band, name, label.colour, label.dash, " %"), ...thin];
    });
  }

  function volumeTraces(now) {
    const paint = now.isGap.map((gap) => colour(gap ? "pale" : "bar"));
    return [{ x: now.x, y: now.n, type: "bar", name: plain(say(line.words.comments)), width: BAR[state.every] * 0.92,
      marker: { color: paint }, hovertemplate: "%{fullData.name} <b>%{y:,}</b><extra></extra>" }];
  }

  function axes(id, now) {
    const rule = colour("rule"), margin = BAR[state.every] / 2 + DAY * Math.max(0.5, now.x.length * 0.003);
    const last = now.forecast ? now.forecast.x[now.forecast.x.length - 1] : now.x[now.x.length - 1];
    const ends = [Date.parse(now.x[0]) - margin, Date.parse(last) + margin];
    const x = { type: "date", range: ends, showgrid: false, linecolor: rule, tickcolor: rule, ticks: "outside", hoverformat: "%Y-%m-%d",
      unifiedhovertitle: { text: TITLE[state.every] }, tickformatstops: [
        { dtickrange: [null, "M1"], value: say(["%e %b\n%Y", "%-m월 %-d일\n%Y년"]) },
        { dtickrange: ["M1", "M12"], value: say(["%b\n%Y", "%-m월\n%Y년"]) },
        { dtickrange: ["M12", null], value: say(["%Y", "%Y년"]) }] };
    const y = { gridcolor: rule, zeroline: false, fixedrange: true, automargin: false, tickformat: id === "volume" ? "~s" : "" };
    if (id === "shares") Object.assign(y, { rangemode: "tozero", ticksuffix: " %" });
    if (id === "shares" && state.view === "stacked") y.range = [0, 100];
    if (id === "volume") Object.assign(y, { rangemode: "tozero", nticks: 4 });
    return { xaxis: x, yaxis: y };
  }

  function layout(id, now) {
    const neutral = { type: "line", xref: "paper", x0: 0, x1: 1, y0: 50, y1: 50, line: { color: colour("soft"), width: 1, dash: "dash" } };
    const mark = (x) => ({ type: "line", yref: "paper", x0: x, x1: x, y0: 0, y1: 1, line: { color: colour("press"), width: 1.2, dash: "dot" } });
    const events = id === "volume" ? [] : line.events.map((e) => ({ ...mark(e.x), line: { color: colour("soft"), width: 1 } }));
    // numbers stand above the first plot; hovering or tapping one says what happened
    const numbers = id !== plots[0] ? [] : line.events.map((e, i) => ({ x: e.x, y: 1, yref: "paper", yanchor: "bottom", yshift: 1, text: `<b>${i + 1}</b>`,
      showarrow: false, captureevents: true, hovertext: plain(e.text), font: { size: 11, color: colour("soft") } }));
    return { ...axes(id, now), annotations: numbers, margin: { l: 50, r: 8, t: numbers.length ? 20 : 10, b: 42 }, barmode: "stack", bargap: 0,
      hovermode: "x unified", dragmode: isTouched ? false : "zoom", showlegend: false,
      shapes: id === "index" ? [neutral, ...(now.changes ?? []).map(mark), ...events] : events,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hoverlabel: { bgcolor: colour("paper"), bordercolor: colour("rule"), font: { family: FONT, size: 13, color: colour("ink") } },
      font: { family: FONT, size: 13, color: colour("ink") } };
  }

  const TRACES = { index: indexTraces, shares: shareTraces, volume: volumeTraces };
  const CONFIG = { displaylogo: false, responsive: true, displayModeBar: false, doubleClick: "reset" };

  function press(group, isPressed) {
    document.querySelectorAll(`button[data-${group}]`).forEach((b) => b.setAttribute("aria-pressed", String(isPressed(b.dataset[group]))));
  }

  function draw() {
    const now = current();
    document.getElementById("nothing").hidden = now.x.length > 0;
    document.querySelectorAll("figure").forEach((figure) => figure.classList.toggle("empty", now.x.length === 0));
    document.getElementById("volume-heading").textContent = say(line.words.volume[state.every]);
    press("every", (value) => value === state.every);
    press("view", (value) => value === state.view);
    press("beside", (value) => value === state.beside);
    press("language", (value) => value === root.lang);
    press("label", (value) => !state.hidden.has(value));
    picker?.querySelectorAll("option[data-ko]").forEach((o) => { o.textContent = root.lang === "ko" ? o.dataset.ko : o.dataset.en; });
    return now.x.length ? Promise.all(plots.map((id) => Plotly.react(id, TRACES[id](now), layout(id, now), CONFIG))) : Promise.resolve();
  }

  // A legend of our own: buttons wrap on a phone, and keyboard and screen reader reach them
  document.getElementById("legend").append(...line.labels.map((label) => {
    const button = document.createElement("button"), swatch = document.createElement("span");
    button.type = "button";
    button.dataset.label = label.name;
    swatch.innerHTML = `<svg width="26" height="6" aria-hidden="true"><line x1="0" x2="26" y1="3" y2="3" stroke="${label.colour}"
      stroke-width="3" stroke-dasharray="${DASHES[label.dash]}"/></svg>`;
    button.append(swatch, label.name);
    return button;
  }));

  // What is zoomed in one plot is zoomed in all
  let isFollowing = false;
  function zoomTogether(from, change) {
    if (isFollowing) return;
    const keys = Object.keys(change).filter((key) => key.startsWith("xaxis."));
    if (!keys.length) return;
    isFollowing = true;
    const same = Object.fromEntries(keys.map((key) => [key, change[key]]));
    Promise.all(plots.filter((id) => id !== from).map((id) => Plotly.relayout(id, same))).finally(() => { isFollowing = false; });
  }

  // From a point back to the shards that hold its comments, the content of their files, and the model
  function tellOrigin(event) {
    const now = current(), i = now.x.indexOf(String(event.points[0].x).slice(0, 10));
    if (i < 0 || !now.origins) return;
    const shards = now.origins[i].map(([a, b]) => (a === b ? `${a + 1}` : `${a + 1}–${b + 1}`)).join(", ");
    const held = now.origins[i].flatMap(([a, b]) => line.shards.slice(a, b + 1));
    const files = [...new Set(held.map((shard) => line.files[shard[0]]))];
    const some = files.slice(0, 5).join(", ") + (files.length > 5 ? " …" : "");
    const fields = { day: now.x[i], period: say(line.words.every[state.every]), n: now.n[i].toLocaleString(root.lang),
      shards: shards || "–", files: some || "–", models: line.models.join(", ") };
    document.getElementById("origin").textContent = say(line.words.origin).replace(/\{(\w+)\}/g, (_, name) => fields[name]);
  }

  function toggle(label) {
    if (!state.hidden.delete(label)) state.hidden.add(label);
  }

  function chooseEvery(every) {
    state.every = every;
    if (every !== line.lengths[line.lengths.length - 1]) chooseSource("");
  }

  function chooseSource(source) {
    state.source = source;
    if (source !== "") state.every = line.lengths[line.lengths.length - 1];
    if (picker) picker.value = source;
  }

  const picker = document.getElementById("source");
  picker?.addEventListener("change", () => { chooseSource(picker.value); draw(); });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.language) root.lang = button.dataset.language;
    if (button.dataset.every) chooseEvery(button.dataset.every);
    if (button.dataset.view) state.view = button.dataset.view;
    if (button.dataset.beside) state.beside = button.dataset.beside;
    if (button.dataset.label !== undefined) toggle(button.dataset.label);
    draw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  document.fonts.load('13px "page text"').finally(draw).then(() => {
    if (!line.periods[state.every].x.length) return;
    plots.forEach((id) => {
      document.getElementById(id).on("plotly_relayout", (change) => zoomTogether(id, change));
      document.getElementById(id).on("plotly_click", tellOrigin);
    });
  });
})();
