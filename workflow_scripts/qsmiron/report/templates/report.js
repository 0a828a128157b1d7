"use strict";

// Figures: a click opens the picture in a dialog.
(() => {
  const viewer = document.getElementById("viewer");
  const picture = viewer.querySelector("img");
  document.querySelectorAll(".enlarge").forEach((button) => {
    button.addEventListener("click", () => {
      const source = button.querySelector("img");
      picture.src = source.src;
      picture.alt = source.alt;
      viewer.classList.toggle("dark", Boolean(button.closest(".gallery")));
      viewer.showModal();
    });
  });
  viewer.addEventListener("click", () => viewer.close());
})();

// Tables: filter, sort and page through the rows that the page carries as JSON.
(() => {
  const PAGE = 50;

  const bare = (text) => text.replace(/^(-?)0\./, "$1.");
  const signed = (text) => text.replace("-", "−");

  function probability(value) {
    if (value < 1e-4) return "< .0001";
    if (value > 0.995) return "1.00";
    // the power of ten is that of the rounded number: .000999 is .0010
    return bare(value.toFixed(Math.max(2, 1 - Math.floor(Math.log10(Number(value.toPrecision(2)))))));
  }

  function format(value, kind) {
    if (value === null) return "";
    if (kind === "p") return probability(value);
    if (kind === "coefficient") return signed(bare(value.toFixed(2)));
    if (kind === "value") return signed(String(Number(value.toPrecision(3))));
    return value;
  }

  function compare(a, b) {
    if (a === null || b === null) return (a === null) - (b === null);
    return typeof a === "number" ? a - b : String(a).localeCompare(String(b));
  }

  function field(parent, label, element) {
    const holder = document.createElement("label");
    holder.textContent = label;
    holder.append(element);
    parent.append(holder);
    return element;
  }

  function choice(parent, label, options, chosen) {
    const select = document.createElement("select");
    options.forEach(([value, text]) => select.append(new Option(text, value)));
    select.value = chosen;
    return field(parent, label, select);
  }

  function build(holder) {
    const data = JSON.parse(document.getElementById(holder.dataset.source).textContent);
    const at = Object.fromEntries(data.columns.map((column, index) => [column.key, index]));
    const controls = holder.querySelector(".controls");
    const head = [...holder.querySelectorAll("thead th")];
    const body = holder.querySelector("tbody");
    const count = holder.querySelector(".count");
    const pager = holder.querySelector(".pager");
    const question = "contrast" in at ? "contrast" : "score";
    const every = (key) => [["", "all"], ...[...new Set(data.rows.map((row) => row[at[key]]))].map((v) => [v, v])];

    // several variants and atlases are never mixed unless the reader asks for all
    const which = Object.fromEntries(Object.entries(data.chosen).map(([key, first]) =>
      [key, choice(controls, data.columns[at[key]].label, every(key), first)]));
    const selects = {
      ...which,
      [question]: choice(controls, data.columns[at[question]].label, every(question), ""),
      arm: choice(controls, "Arm", every("arm"), "replication"),
      metric: choice(controls, "Metric", [["primary", "primary metrics"], ...every("metric")], "primary"),
      hemisphere: choice(controls, "Side", every("hemisphere"), ""),
    };
    const region = field(controls, "Region contains", document.createElement("input"));
    region.type = "search";
    const most = choice(controls, "p below", [["", "any"], [".05", ".05"], [".01", ".01"], [".001", ".001"]], "");
    const state = { sort: at.p, down: false, page: 0 };

    function rows() {
      const text = region.value.trim().toLowerCase();
      const limit = most.value ? Number(most.value) : Infinity;
      return data.rows.filter((row) => {
        for (const [key, select] of Object.entries(selects)) {
          const value = row[at[key]];
          if (key === "metric" && select.value === "primary") {
            if (!data.primary.includes(value)) return false;
          } else if (select.value && value !== select.value) return false;
        }
        if (text && !row[at.region].toLowerCase().includes(text)) return false;
        return limit === Infinity || (row[at.p] !== null && row[at.p] < limit);
      });
    }

    // A filter's one value, and a column without any, need no room.
    function isNeeded(column, index, found) {
      if (column.key === "role") return selects.metric.value !== "primary";
      if (column.key in selects && !["", "primary"].includes(selects[column.key].value)) return false;
      return !found.length || found.some((row) => row[index] !== null && row[index] !== "");
    }

    function show() {
      const found = rows();
      const sign = state.down ? -1 : 1;
      found.sort((a, b) => {
        const [x, y] = [a[state.sort], b[state.sort]];
        return x === null || y === null ? compare(x, y) : sign * compare(x, y);
      });
      const pages = Math.max(1, Math.ceil(found.length / PAGE));
      state.page = Math.min(state.page, pages - 1);
      const part = found.slice(state.page * PAGE, (state.page + 1) * PAGE);
      const needed = data.columns.map((column, index) => isNeeded(column, index, found));
      head.forEach((cell, index) => { cell.hidden = !needed[index]; });
      body.replaceChildren(...part.map((row) => {
        const line = document.createElement("tr");
        row.forEach((value, index) => {
          const cell = line.insertCell();
          const kind = data.columns[index].kind;
          cell.hidden = !needed[index];
          cell.textContent = format(value, kind);
          cell.className = kind + (kind === "p" && value !== null && value < 0.05 ? " hit" : "");
        });
        return line;
      }));
      const first = state.page * PAGE;
      count.textContent = `Rows ${found.length ? first + 1 : 0}–${first + part.length} of ${found.length} that match; ${data.rows.length} in all. Bold: below .05.`;
      head.forEach((cell, index) => {
        if (index === state.sort) cell.setAttribute("aria-sort", state.down ? "descending" : "ascending");
        else cell.removeAttribute("aria-sort");
      });
      pager.replaceChildren();
      if (pages > 1) {
        const button = (label, to) => {
          const made = document.createElement("button");
          made.textContent = label;
          made.disabled = to < 0 || to >= pages;
          made.addEventListener("click", () => { state.page = to; show(); });
          pager.append(made);
        };
        button("← previous", state.page - 1);
        button("next →", state.page + 1);
      }
    }

    const restart = () => { state.page = 0; show(); };
    [...Object.values(selects), most].forEach((control) => control.addEventListener("change", restart));
    region.addEventListener("input", restart);
    head.forEach((cell, index) => {
      cell.classList.add("sortable");
      cell.tabIndex = 0;
      const sort = () => {
        state.down = state.sort === index ? !state.down : false;
        state.sort = index;
        restart();
      };
      cell.addEventListener("click", sort);
      cell.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
    });
    show();
  }

  document.querySelectorAll(".datatable").forEach(build);
})();
