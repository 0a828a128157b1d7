"use strict";

// Slice viewer: three linked planes through mean χ, or its sources, with the atlas' effects laid over
// it. All places are voxels of the labels' grid (1 mm); χ has every other voxel of it. Axes: 0 right,
// 1 front, 2 up.
(() => {
  const PLANES = {
    axial: { across: 0, up: 1, through: 2 },
    coronal: { across: 0, up: 2, through: 1 },
    sagittal: { across: 1, up: 2, through: 0 },
  };
  const AXES = ["x", "y", "z"];
  const SCALE = 4; // pixels of the canvas per mm
  const GAP = 5; // mm left free around the centre of the crosshair
  const START = [20, -4, 0]; // mm: right pallidum
  const LEAP = 10;
  const ALPHA = 0.05;

  const minus = (text) => String(text).replace("-", "−");

  async function unpacked(text, Kind) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new DecompressionStream("gzip");
    const writer = stream.writable.getWriter();
    writer.write(bytes);
    writer.close();
    return new Kind(await new Response(stream.readable).arrayBuffer());
  }

  async function build(holder) {
    const data = JSON.parse(document.getElementById(holder.dataset.source).textContent);
    const small = data.chi.shape;
    const shape = small.map((length) => 2 * length - 1);
    const maps = [
      { name: "χ", windows: data.windows, data: data.chi.data, measured: data.regions.map(([, words]) => words) },
      ...data.sources,
    ];
    for (const map of maps) map.values = await unpacked(map.data, Int16Array);
    const labels = data.labels ? await unpacked(data.labels, Uint16Array) : null;
    const signed = data.signed.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
    const find = (name) => holder.querySelector(`[name="${name}"], .${name}`);
    const clamp = (value, axis) => Math.min(Math.max(Math.round(value), 0), shape[axis] - 1);
    const place = START.map((mm, axis) => clamp(mm - data.origin[axis], axis));
    const mm = (axis, at = place) => Math.round(data.origin[axis] + at[axis]);
    const state = { hovered: null };

    const overlay = () => (find("overlay").value ? data.overlays[Number(find("overlay").value)] : null);
    const shownMap = () => maps[Number(find("map").value)];
    const symbol = () => shownMap().name.split(" ")[0];
    const grey = () => shownMap().windows[Number(find("window").value)];
    const labelAt = (at) => (labels ? labels[(at[0] * shape[1] + at[1]) * shape[2] + at[2]] : 0);

    // χ (ppb), trilinear: a place lies on a voxel of χ or halfway between two; null where empty
    function chiAt(at) {
      const chi = shownMap().values;
      let sum = 0, n = 0;
      for (let corner = 0; corner < 8; corner += 1) {
        const [x, y, z] = at.map((value, axis) => (value + ((corner >> axis) & 1)) >> 1);
        const value = chi[(x * small[1] + y) * small[2] + z];
        if (value !== data.chi.missing) { sum += value; n += 1; }
      }
      return n ? sum / n * data.chi.step : null;
    }

    function shown(cell) {
      const which = find("significance").value;
      if (!cell) return false;
      if (!which) return true;
      const value = cell[which === "p" ? 1 : 2];
      return value !== null && value < ALPHA;
    }

    const direction = (effect, chosen) => (effect ? ` (${effect > 0 ? chosen.high : chosen.low})` : "");

    function describe(at) {
      const label = labelAt(at), value = chiAt(at), chosen = overlay();
      const name = label ? data.regions[label - 1][0] : "no region";
      const measured = label ? shownMap().measured[label - 1] : "";
      const cell = chosen && label ? chosen.cells[label - 1] : null;
      return {
        position: AXES.map((letter, axis) => `${letter} ${minus(mm(axis, at))}`).join(", ") + " mm",
        name,
        chi: value === null ? `no ${symbol()} here` : `${symbol()} here ${minus(value.toFixed(1))} ppb`,
        measured: measured ? `measured in the region: ${measured}` : "",
        question: chosen && label ? `${chosen.question}, ${chosen.metric}:` : "",
        effect: !chosen || !label ? "" : cell ? cell[3] + direction(cell[0], chosen) : "not tested",
      };
    }

    // --- drawing ---------------------------------------------------------------------------------

    function picture(width, height, colour) {
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d");
      const image = context.createImageData(width, height);
      for (let row = 0, at = 0; row < height; row += 1) {
        for (let column = 0; column < width; column += 1, at += 4) {
          const found = colour(column, height - 1 - row);
          if (found) image.data.set(found, at);
        }
      }
      context.putImageData(image, 0, 0);
      return canvas;
    }

    function chiPicture({ across, up }) {
      const [bottom, top] = grey();
      const at = place.slice();
      return picture(small[across], small[up], (column, row) => {
        at[across] = 2 * column;
        at[up] = 2 * row;
        const value = chiAt(at);
        if (value === null) return null;
        const shade = 255 * Math.min(Math.max((value - bottom) / (top - bottom), 0), 1);
        return [shade, shade, shade, 255];
      });
    }

    // the colour of an effect as a share of the limit; small ones let χ show through, so that the
    // light middle of the colours is not taken for high χ
    function tint(share) {
      const part = Math.min(Math.max(0.5 + share / 2, 0), 1);
      return [...signed[Math.round(part * (signed.length - 1))], 255 * Math.min(2 * Math.abs(share), 1)];
    }

    function effectPicture({ across, up }, chosen) {
      const at = place.slice();
      return picture(shape[across], shape[up], (column, row) => {
        at[across] = column;
        at[up] = row;
        const label = labelAt(at);
        const cell = label ? chosen.cells[label - 1] : null;
        if (!shown(cell)) return null;
        return tint(cell[0] / chosen.limit);
      });
    }

    function outline(context, { across, up }, label) {
      const at = place.slice();
      const own = (column, row) => {
        if (column < 0 || row < 0 || column >= shape[across] || row >= shape[up]) return false;
        at[across] = column;
        at[up] = row;
        return labelAt(at) === label;
      };
      context.beginPath();
      for (let row = 0; row <= shape[up]; row += 1) {
        for (let column = 0; column <= shape[across]; column += 1) {
          const inside = own(column, row);
          const [x, y] = [column * SCALE, (shape[up] - row) * SCALE];
          if (inside !== own(column - 1, row)) { context.moveTo(x, y); context.lineTo(x, y - SCALE); }
          if (inside !== own(column, row - 1)) { context.moveTo(x, y); context.lineTo(x + SCALE, y); }
        }
      }
      context.lineWidth = 2;
      context.strokeStyle = "#fff";
      context.stroke();
    }

    function crosshair(context, { across, up }) {
      const [x, y] = [(place[across] + 0.5) * SCALE, (shape[up] - place[up] - 0.5) * SCALE];
      const [width, height] = [shape[across] * SCALE, shape[up] * SCALE];
      const gap = GAP * SCALE;
      context.beginPath();
      [[0, y, x - gap, y], [x + gap, y, width, y], [x, 0, x, y - gap], [x, y + gap, x, height]]
        .forEach(([x1, y1, x2, y2]) => { context.moveTo(x1, y1); context.lineTo(x2, y2); });
      context.lineWidth = 1.5;
      context.strokeStyle = "rgba(240, 228, 66, .75)";
      context.stroke();
    }

    function drawPlane(view) {
      const { plane, canvas } = view;
      const context = canvas.getContext("2d");
      context.fillStyle = "#000";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.imageSmoothingQuality = "high";
      const image = chiPicture(plane);
      // χ has a voxel at every other one of the grid, centred on it
      context.drawImage(image, -SCALE / 2, -SCALE / 2, 2 * SCALE * image.width, 2 * SCALE * image.height);
      const chosen = overlay();
      if (chosen) {
        context.globalAlpha = Number(find("opacity").value) / 100;
        context.drawImage(effectPicture(plane, chosen), 0, 0, canvas.width, canvas.height);
        context.globalAlpha = 1;
      }
      const label = labelAt(state.hovered || place);
      if (label) outline(context, plane, label);
      crosshair(context, plane);
      const axis = plane.through;
      const side = axis === 0 && mm(0) !== 0 ? ` (${mm(0) < 0 ? "L" : "R"})` : "";
      const words = `${AXES[axis]} = ${minus(mm(axis))} mm${side}`;
      view.caption.textContent = words;
      canvas.setAttribute("aria-valuenow", mm(axis));
      const about = describe(place);
      canvas.setAttribute("aria-valuetext", `${words}: ${about.name}, ${about.chi}`);
    }

    let waiting = false;
    function draw() {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        views.forEach(drawPlane);
        const about = describe(place);
        ["position", "name", "chi", "measured", "question", "effect"].forEach((key) => { find(key).textContent = about[key]; });
        bars();
        holder.removeAttribute("aria-busy");
      });
    }

    function bar(name, colours, low, middle, high) {
      const found = find(name);
      found.querySelector("i").style.backgroundImage = `linear-gradient(90deg, ${colours.join(", ")})`;
      found.querySelectorAll("span").forEach((span, index) => { span.textContent = [low, middle, high][index]; });
    }

    function bars() {
      const [bottom, top] = grey();
      bar("bar-chi", ["#000", "#fff"], minus(bottom), `mean ${symbol()} (ppb)`, minus(top));
      const chosen = overlay();
      find("bar-effect").hidden = !chosen;
      if (!chosen) return;
      const limit = String(chosen.limit).replace(/^0/, "");
      const colours = data.signed.map((_, index) => tint(2 * index / (data.signed.length - 1) - 1))
        .map(([r, g, b, alpha]) => `rgba(${r}, ${g}, ${b}, ${(alpha / 255).toFixed(3)})`);
      bar("bar-effect", colours, `${chosen.low} −${limit}`, `${chosen.metric}: ${chosen.measure}`, `${limit} ${chosen.high}`);
    }

    // --- hands -----------------------------------------------------------------------------------

    const tip = find("tip");

    function under(view, event) {
      const box = view.canvas.getBoundingClientRect();
      const { across, up } = view.plane;
      const at = place.slice();
      at[across] = clamp((event.clientX - box.left) / box.width * shape[across] - 0.5, across);
      at[up] = clamp((box.bottom - event.clientY) / box.height * shape[up] - 0.5, up);
      return at;
    }

    function point(view, event) {
      state.hovered = under(view, event);
      const about = describe(state.hovered);
      tip.replaceChildren(...["name", "chi", "measured", "question", "effect"].filter((key) => about[key]).map((key) => {
        const line = document.createElement("div");
        line.textContent = about[key];
        return line;
      }));
      tip.hidden = false;
      const box = holder.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left, event.clientY - box.top];
      const left = x + 18 + tip.offsetWidth <= box.width ? x + 18 : x - 18 - tip.offsetWidth;
      tip.style.left = `${Math.max(left, 0)}px`;
      tip.style.top = `${y + 18}px`;
    }

    function leave() {
      state.hovered = null;
      tip.hidden = true;
      draw();
    }

    function goTo(at) {
      at.forEach((value, axis) => { place[axis] = clamp(value, axis); });
      draw();
    }

    function step(view, by) {
      const at = place.slice();
      at[view.plane.through] += by;
      goTo(at);
    }

    const views = [...holder.querySelectorAll(".view")].map((figure) => {
      const plane = PLANES[figure.dataset.plane];
      const canvas = figure.querySelector("canvas");
      const view = { plane, canvas, caption: figure.querySelector(".where") };
      canvas.width = shape[plane.across] * SCALE;
      canvas.height = shape[plane.up] * SCALE;
      figure.style.setProperty("--width", shape[plane.across]);
      canvas.setAttribute("aria-valuemin", Math.round(data.origin[plane.through]));
      canvas.setAttribute("aria-valuemax", Math.round(data.origin[plane.through]) + shape[plane.through] - 1);
      canvas.addEventListener("pointerdown", (event) => {
        if (event.isTrusted) canvas.setPointerCapture(event.pointerId);
        goTo(under(view, event));
      });
      canvas.addEventListener("pointermove", (event) => {
        point(view, event);
        if (event.buttons & 1) goTo(state.hovered);
        else draw();
      });
      canvas.addEventListener("pointerleave", leave);
      // a page that scrolls must not stop at the pictures: only one that was chosen takes the wheel
      canvas.addEventListener("wheel", (event) => {
        if (document.activeElement !== canvas || event.ctrlKey) return;
        event.preventDefault();
        step(view, event.deltaY < 0 ? 1 : -1);
      }, { passive: false });
      canvas.addEventListener("keydown", (event) => {
        const by = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: LEAP, PageDown: -LEAP }[event.key];
        if (!by) return;
        event.preventDefault();
        step(view, by);
      });
      return view;
    });

    function centres() {
      const sums = data.regions.map(() => [0, 0, 0, 0]);
      labels.forEach((label, flat) => {
        if (!label) return;
        const sum = sums[label - 1];
        const plane = Math.floor(flat / shape[2]);
        sum[0] += Math.floor(plane / shape[1]);
        sum[1] += plane % shape[1];
        sum[2] += flat % shape[2];
        sum[3] += 1;
      });
      return sums.map((sum) => sum.slice(0, 3).map((total) => total / sum[3]));
    }

    // the voxel of a region nearest to its centre, which itself may lie outside a curved one
    function middle(region, centre) {
      let best = place, least = Infinity;
      labels.forEach((label, flat) => {
        if (label !== region + 1) return;
        const plane = Math.floor(flat / shape[2]);
        const at = [Math.floor(plane / shape[1]), plane % shape[1], flat % shape[2]];
        const distance = Math.hypot(...at.map((value, axis) => value - centre[axis]));
        if (distance < least) [best, least] = [at, distance];
      });
      return best;
    }

    const groups = new Map();
    data.overlays.forEach((one, index) => {
      if (!groups.has(one.question)) {
        const group = document.createElement("optgroup");
        group.label = one.question;
        groups.set(one.question, group);
        find("overlay").append(group);
      }
      groups.get(one.question).append(new Option(`${one.question}, ${one.metric}`, index));
    });
    maps.forEach(({ name }, index) => find("map").append(new Option(name, index)));
    function offerWindows() {
      find("window").replaceChildren(...shownMap().windows.map(([low, high], index) => new Option(`${minus(low)} to ${minus(high)} ppb`, index)));
      draw();
    }
    find("map").addEventListener("input", offerWindows);
    offerWindows();
    if (labels) {
      const middles = centres();
      const sorted = data.regions.map(([name], index) => [name, index]).filter(([, index]) => !Number.isNaN(middles[index][0]));
      sorted.sort((a, b) => a[0].localeCompare(b[0]));
      sorted.forEach(([name, index]) => find("region").append(new Option(name, index)));
      find("region").addEventListener("change", (event) => {
        if (event.target.value) goTo(middle(Number(event.target.value), middles[Number(event.target.value)]));
      });
    }
    ["overlay", "significance", "opacity", "window"].forEach((name) => find(name).addEventListener("input", draw));
    holder.hidden = false;
    draw();
  }

  document.querySelectorAll(".viewer").forEach((holder) => {
    if ("DecompressionStream" in window && "OffscreenCanvas" in window) build(holder);
    else holder.nextElementSibling.hidden = false;
  });
})();
