// SPDX-License-Identifier: MIT
// The switch of the theme, one tooltip for all that has data-t, and the buttons that save CSV.
"use strict";
(() => {
  const root = document.documentElement;

  // ---- Light and dark
  const theme = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const name = () => { theme.textContent = isDark() ? "Light theme" : "Dark theme"; };
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    name();
  });
  dark.addEventListener("change", name);
  name();
  theme.hidden = false;

  // ---- The tooltip
  const tip = document.getElementById("tip");
  let shown = null;
  const hide = () => {
    if (shown) shown.classList.remove("on");
    shown = null;
    tip.hidden = true;
  };
  const place = () => {
    if (!shown) return;
    const at = shown.getBoundingClientRect(), own = tip.getBoundingClientRect(), gap = 8;
    const right = root.clientWidth - own.width - gap;
    const above = at.top - own.height - gap;
    tip.style.left = Math.max(0, Math.min(Math.max(at.left + at.width / 2 - own.width / 2, gap), right)) + "px";
    tip.style.top = (above >= gap ? above : at.bottom + gap) + "px";
  };
  const show = (mark) => {
    if (mark === shown) return;
    hide();
    shown = mark;
    mark.classList.add("on");
    tip.textContent = mark.dataset.t;
    tip.hidden = false;
    place();
  };
  const nearest = (plot, x, y) => {
    let best = null, least = 28 * 28;
    for (const mark of plot.querySelectorAll("[data-t]")) {
      const at = mark.getBoundingClientRect();
      const dx = Math.max(at.left - x, 0, x - at.right), dy = Math.max(at.top - y, 0, y - at.bottom);
      const mx = (at.left + at.right) / 2 - x, my = (at.top + at.bottom) / 2 - y;
      // of marks that enclose the point the one whose middle is nearest
      const distance = dx * dx + dy * dy + 1e-3 * (mx * mx + my * my);
      if (distance < least) { least = distance; best = mark; }
    }
    return best;
  };
  for (const plot of document.querySelectorAll("svg.plot, .marks")) {
    // The page has a tooltip of its own: that of the browser would lie over it.
    const title = plot.querySelector(":scope > title"), desc = plot.querySelector(":scope > desc");
    if (title) {
      plot.removeAttribute("aria-labelledby");
      plot.removeAttribute("aria-describedby");
      plot.setAttribute("aria-label", title.textContent + ". " + (desc ? desc.textContent : ""));
      title.remove();
    }
    const marks = [...plot.querySelectorAll("[data-t]")];
    let current = 0;
    const point = (event) => {
      const mark = nearest(plot, event.clientX, event.clientY);
      if (mark) show(mark); else hide();
    };
    plot.addEventListener("pointermove", point);
    plot.addEventListener("pointerdown", point);
    plot.addEventListener("pointerleave", hide);
    plot.addEventListener("blur", hide);
    plot.addEventListener("focus", () => {
      if (marks.length && plot.matches(":focus-visible")) show(marks[current]);
    });
    plot.addEventListener("keydown", (event) => {
      const last = marks.length - 1;
      const to = { ArrowRight: current + 1, ArrowDown: current + 1, ArrowLeft: current - 1,
                   ArrowUp: current - 1, Home: 0, End: last }[event.key];
      if (event.key === "Escape") hide();
      if (to === undefined || last < 0) return;
      event.preventDefault();
      current = Math.min(Math.max(to, 0), last);
      show(marks[current]);
    });
  }
  addEventListener("scroll", place, { passive: true });
  addEventListener("resize", place);

  // ---- CSV (RFC 4180)
  const field = (value) => {
    const text = value === null ? "" : String(value);
    return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  };
  for (const button of document.querySelectorAll("button[data-csv]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const data = JSON.parse(document.getElementById("data-" + button.dataset.csv).textContent);
      const lines = [data.columns, ...data.rows].map((row) => row.map(field).join(","));
      const blob = new Blob([lines.join("\r\n") + "\r\n"], { type: "text/csv" });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = button.dataset.csv + ".csv";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
  }
})();
