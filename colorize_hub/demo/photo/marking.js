// Marks: points and strokes on the photo, and their colours.

function makeMarking(desk, stage, panel) {
  let loaded = null; // a colour taken with the eyedropper, for the next mark
  let tool = 'point', toolBefore = 'point', brushShare = 0.02, suggesting = 0;
  const marking = {};
  const isPending = (index) => desk.pending !== null && index === desk.work.marks.length;
  const used = (rgb) => (desk.recent = [rgb, ...desk.recent.filter((one) => !sameRgb(one, rgb))].slice(0, 5));
  const withMark = (index, mark) => {
    const marks = [...desk.work.marks];
    marks[index] = mark;
    return { ...desk.work, marks };
  };

  marking.helpText = () => {
    if (desk.selected !== null) {
      return desk.colours.length ? 'Likely here. Or take any colour you like.' : 'Looking…';
    }
    if (loaded) return 'Taken. Click where it belongs, or paint with the brush.';
    if (tool === 'brush') return 'Paint over a thing, then choose its colour.';
    if (tool === 'dropper') return 'Click a colour in the picture to take it.';
    if (tool === 'hand') return 'Drag to move the enlarged picture.';
    return 'Click a thing in the picture to see the colours it could have.';
  };

  marking.pick = (x, y) => add({ points: [[x, y]], rgb: null, radius: null }, loaded);

  marking.stroke = (points) => {
    add({ points, rgb: null, radius: Math.round(stage.brush * 100) / 100 }, loaded);
  };

  function add(mark, rgb) {
    if (!desk.photo) return;
    stage.compare(0);
    desk.deselect();
    desk.selected = desk.work.marks.length;
    loaded = null;
    suggest(mark);
    if (rgb) desk.commit(withMark(desk.selected, { ...mark, rgb }));
    else desk.pending = mark;
    desk.refresh();
  }

  async function suggest(mark) {
    desk.colours = [];
    const [x, y] = mark.points[mark.points.length >> 1];
    const turn = ++suggesting;
    const found = await desk.trying('', () => desk.ask('suggest_colours', x, y, desk.model));
    if (!found || turn !== suggesting || desk.selected === null) return;
    desk.colours = found;
    desk.refresh();
  }

  marking.select = (index) => {
    if (!isPending(index)) {
      desk.pending = null;
      desk.selected = index;
      suggest(desk.work.marks[index]);
    }
    desk.refresh();
  };

  marking.move = (index, x, y) => {
    const old = isPending(index) ? desk.pending : desk.work.marks[index];
    const [fromX, fromY] = old.points[old.points.length >> 1];
    const { width, height } = desk.photo;
    const points = old.points
      .map((at) => [at[0] + x - fromX, at[1] + y - fromY])
      .filter(([atX, atY]) => atX >= 0 && atY >= 0 && atX < width && atY < height);
    const moved = { ...old, points: points.length ? points : [[x, y]] };
    desk.selected = index;
    suggest(moved);
    if (isPending(index)) desk.pending = moved;
    else desk.commit(withMark(index, moved));
    desk.refresh();
  };

  marking.remove = (index) => {
    if (index === null) return;
    const kept = desk.work.marks.filter((_, other) => other !== index);
    const changed = kept.length < desk.work.marks.length;
    desk.deselect();
    if (changed) desk.commit({ ...desk.work, marks: kept });
    else desk.refresh();
  };

  marking.clear = () => {
    loaded = null;
    desk.deselect();
    if (desk.work.marks.length) desk.commit({ ...desk.work, marks: [] });
    else desk.refresh();
  };

  // `passing` while the visitor is still choosing: shown, but no step of the history.
  marking.colour = (rgb, passing = false) => {
    if (desk.selected === null) return passing ? undefined : marking.taken(rgb);
    const next = withMark(desk.selected, { ...(desk.pending ?? desk.work.marks[desk.selected]), rgb });
    desk.pending = null;
    if (passing) return desk.show(next);
    used(rgb);
    desk.commit(next);
  };

  marking.taken = (rgb) => {
    if (tool === 'dropper') marking.tool(toolBefore);
    if (desk.selected !== null) return marking.colour(rgb);
    loaded = rgb;
    used(rgb);
    desk.refresh();
  };

  marking.tool = (name) => {
    if (tool !== 'dropper') toolBefore = tool;
    tool = stage.tool = name;
    if (name === 'brush') desk.deselect();
    panel.tool(name);
    desk.refresh();
  };

  marking.brush = (share = brushShare) => {
    brushShare = share;
    if (desk.photo) stage.brush = share * Math.max(desk.photo.width, desk.photo.height);
  };
  return marking;
}
