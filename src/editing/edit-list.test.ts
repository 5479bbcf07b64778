import { describe, expect, it } from 'vitest';
import { addLayer, checkLayer, decodeEdits, emptyEdits, encodeEdits, redo, removeLayer, undo, updateLayer } from './edit-list.ts'; // prettier-ignore
import { EditError, LAYER_DEFAULTS, type Layer } from './layers.ts';

const sticker: Layer = { ...LAYER_DEFAULTS, name: 'star', kind: 'sticker', image: 'star.png', at: [0.3, 0.2], size: 0.03, turn: 0 }; // prettier-ignore
const hair: Layer = { ...LAYER_DEFAULTS, name: 'hair', kind: 'recolor', part: 'hair', color: '#3a1f7a' };
const names = (edits: { layers: readonly Layer[] }): string[] => edits.layers.map(({ name }) => name);

describe('edit list', () => {
  it('goes back and forth through what was done, also after being stored', () => {
    let edits = addLayer(addLayer(emptyEdits({ name: 'builtin' }), sticker), hair);
    edits = updateLayer(edits, 'star', { opacity: 0.5 });
    edits = removeLayer(edits, 'hair');
    edits = decodeEdits(encodeEdits(edits), 'the test');
    expect(names(edits)).toEqual(['star']);
    const back = undo(edits);
    expect([back.label, names(back.edits)]).toEqual(['remove "hair"', ['star', 'hair']]);
    const further = undo(decodeEdits(encodeEdits(back.edits), 'the test')).edits;
    expect(further.layers[0].opacity).toBe(1);
    expect(names(redo(redo(further).edits).edits)).toEqual(['star']);
    expect(() => redo(addLayer(further, sticker))).toThrow(/nothing to redo/);
    expect(() => undo(emptyEdits({ name: 'builtin' }))).toThrow(EditError);
  });

  it('gives layers names of their own', () => {
    const edits = addLayer(addLayer(emptyEdits({ name: 'builtin' }), sticker), sticker);
    expect(names(edits)).toEqual(['star', 'star 2']);
    expect(() => removeLayer(edits, 'moon')).toThrow(/no layer "moon"; layers: "star", "star 2"/);
  });

  it('says what is wrong with a list: kind, field, version, form', () => {
    const text = (change: object, layer: object = {}): string =>
      JSON.stringify({ ...(JSON.parse(encodeEdits(addLayer(emptyEdits({ name: 'builtin' }), sticker))) as object), layers: [{ ...sticker, ...layer }], ...change }); // prettier-ignore
    expect(decodeEdits(text({}), 'edits.json').layers).toEqual([sticker]);
    expect(() => decodeEdits(text({}, { kind: 'tattoo' }), 'edits.json')).toThrow(
      /edits.json: layer 1 \("star"\) has the unknown kind "tattoo"; kinds: sticker,/,
    );
    expect(() => decodeEdits(text({}, { at: [0.2, 1.7] }), 'e')).toThrow(/at is \[0.2,1.7\], but must be a point/);
    expect(() => decodeEdits(text({}, { opacity: 7 }), 'e')).toThrow(/opacity is 7/);
    expect(() => decodeEdits(text({}, { blend: 'burn' }), 'e')).toThrow(/one of normal, multiply/);
    expect(() => decodeEdits(text({ version: 9 }), 'e')).toThrow(/version 9, this program reads 1/);
    expect(() => decodeEdits('{"layers": [', 'e')).toThrow(/no valid JSON/);
    expect(() => decodeEdits('{}', 'e')).toThrow(/not a list of edits/);
    expect(() => checkLayer({ ...hair, color: 'greenish' }, 'e')).toThrow(/color is "greenish"/);
  });
});
