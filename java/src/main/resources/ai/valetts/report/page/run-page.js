"use strict";
(() => {
  const run = JSON.parse(document.getElementById("run").textContent);
  const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const grouped = new Intl.NumberFormat(run.language, { useGrouping: "always" });
  const written = text => run.language === "en" ? text : text.replace(".", ",");
  const step = value => value >= 1e6 ? written(+(value / 1e6).toPrecision(4) + "M") : value >= 1e4 ? written(+(value / 1e3).toPrecision(4) + "k") : grouped.format(value);
  const figure = value => {
    if (value == null) return "–";
    const size = Math.abs(value);
    return size !== 0 && (size < 1e-3 || size >= 1e6) ? written(value.toExponential(2)) : written(String(+value.toPrecision(4)));
  };
  const label = tag => tag.replace(/^loss\//, "").replace(/^gpu\/(\d+)\/.*/, "GPU $1").replace(/^(val|perf|machine|amp)\//, "");

  // A curve of many points is shown smoothed, over its faint self.
  const smooth = values => {
    const weight = Math.min(0.97, 1 - 12 / Math.max(24, values.length));
    let sum = 0, norm = 0;
    return values.map(value => {
      if (value != null) {
        sum = sum * weight + value;
        norm = norm * weight + 1;
      }
      return norm === 0 || value == null ? null : sum / norm;
    });
  };

  const startLines = plot => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = color("--soft");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([3 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const at of run.starts) {
      const x = plot.valToPos(at, "x", true);
      if (x >= bbox.left && x <= bbox.left + bbox.width) {
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
      }
    }
    ctx.restore();
  };

  const draw = box => {
    const chart = run.charts[+box.dataset.chart];
    const holder = box.querySelector(".plot");
    const legend = box.querySelector(".legend");
    holder.textContent = "";
    legend.textContent = "";
    const tables = chart.tags.map(tag => [run.curves[tag].steps, run.curves[tag].means]);
    const data = tables.length > 1 ? uPlot.join(tables) : tables[0];
    const steps = data[0];
    const many = steps.length > 60;
    const columns = [steps];
    const series = [{}];
    const shown = [];
    chart.tags.forEach((tag, i) => {
      const stroke = color("--curve-" + i % 6);
      // A logarithm knows no zero.
      const values = chart.log ? data[i + 1].map(v => v > 0 ? v : null) : data[i + 1];
      if (many) {
        columns.push(values);
        series.push({ stroke: stroke + "40", width: 1, spanGaps: true, points: { show: false } });
      }
      shown.push(columns.length);
      columns.push(many ? smooth(values) : values);
      series.push({ stroke, width: 2, spanGaps: true, points: { show: steps.length < 25, size: 5, fill: stroke } });
    });
    const finite = columns.slice(1).flat().filter(v => v != null);
    const names = chart.tags.map((tag, i) => {
      const entry = document.createElement("span");
      const mark = document.createElement("i");
      mark.style.background = color("--curve-" + i % 6);
      const text = document.createElement("span");
      entry.append(mark, text);
      legend.append(entry);
      return text;
    });
    const say = at => names.forEach((text, i) => {
      const column = columns[shown[i]];
      let index = at;
      if (index == null) {
        index = column.length - 1;
        while (index > 0 && column[index] == null) index--;
      }
      text.textContent = (chart.tags.length > 1 ? label(chart.tags[i]) + " " : "") + figure(column[index]) +
        (at == null ? "" : " " + run.atStep + " " + step(steps[index]));
    });
    say(null);
    const axis = { stroke: color("--soft"), grid: { stroke: color("--grid"), width: 1 }, ticks: { stroke: color("--grid"), width: 1 }, font: "12px system-ui, sans-serif" };
    const flat = finite.length > 0 && Math.min(...finite) === Math.max(...finite);
    const plot = new uPlot({
      width: holder.clientWidth,
      height: holder.clientHeight,
      legend: { show: false },
      cursor: { y: false, points: { size: 6 } },
      scales: {
        x: { time: false, range: (u, min, max) => min === max ? [min - 1, max + 1] : [min, max] },
        y: chart.log && finite.length > 0 && !flat ? { distr: 3 } : {},
      },
      axes: [
        { ...axis, values: (u, ticks) => ticks.map(t => Number.isInteger(t) ? step(t) : ""), space: 56, size: 34 },
        { ...axis, values: (u, ticks) => ticks.map(t => t == null ? "" : figure(t)), size: 58 },
      ],
      series,
      hooks: { draw: [startLines], setCursor: [u => say(u.cursor.idx)] },
    }, columns, holder);
    return { plot, holder };
  };

  let plots = [];
  const drawAll = () => {
    plots.forEach(({ plot }) => plot.destroy());
    plots = [...document.querySelectorAll(".chart")].map(draw);
  };
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) {
      width = innerWidth;
      plots.forEach(({ plot, holder }) => plot.setSize({ width: holder.clientWidth, height: holder.clientHeight }));
    }
  });

  for (const box of document.querySelectorAll("[data-track]")) {
    const points = run.tracks[box.dataset.track];
    const target = box.querySelector("audio, img");
    const slider = box.querySelector("input");
    const at = box.querySelector(".at");
    const show = i => {
      target.src = points[i][1];
      if (slider) at.textContent = run.step + " " + grouped.format(points[i][0]);
    };
    if (slider) slider.addEventListener("input", () => show(+slider.value));
    show(points.length - 1);
  }
})();
