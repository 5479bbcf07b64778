import type { Command } from 'commander';
import { EDIT_ACTIONS, EDIT_LOOK, EDIT_PLACEMENT, EDIT_OPTIONS, type Layer } from 'fate-avatar';
import { addFlags, pickOptions } from './flags.ts';
import { runCommand } from './run-command.ts';

const EXAMPLES = `
One call does one thing; layers pile up, and --undo goes back over earlier calls.
Nothing is painted into the baked maps: look at the result with --edited.

Examples:
  fate edit DIR --sticker logo.png --on forehead --size 0.04
  fate edit DIR --sticker star.png --pick 180,300 --yaw 30 --turn 15 --opacity 0.8
  fate edit DIR --brush '#b01030' --pick "210,330 240,338 270,330" --radius 0.002
  fate edit DIR --recolor hair=#3a1f7a
  fate edit DIR --match-colors sunset.jpg --opacity 0.5
  fate edit DIR --export-color map.png      (paint on it, then)
  fate edit DIR --import-color map.png
  fate edit DIR --list
  fate edit DIR --change logo --size 0.05 --on left-cheek
  fate edit DIR --undo
  fate render DIR --edited --yaw 30 --out face.png`;

export function addEdit(program: Command): void {
  const command = program
    .command('edit')
    .description('stickers, paint and other colours over a baked avatar, as layers that can be undone')
    .argument('<dir>', 'folder of a baked avatar (run `fate bake DIR` first)')
    .usage('<dir> ACTION [options]');
  for (const [title, table] of [
    ['What to do, one of:', EDIT_ACTIONS],
    ['Where:', EDIT_PLACEMENT],
    ['How it looks:', EDIT_LOOK],
  ] as const) {
    command.optionsGroup(title);
    addFlags(command, table);
  }
  command
    .optionsGroup('Output:')
    .option('--json', 'print what was done and all layers as one JSON object on the last line')
    .addHelpText('after', EXAMPLES)
    .action(async (folder: string, flags: Record<string, unknown>) => {
      await runCommand({ json: flags.json === true, describe }, async (context) => {
        const { editAvatarRun } = await import('fate-avatar/node');
        return editAvatarRun({ folder, ...pickOptions(EDIT_OPTIONS, flags) }, context);
      });
    });
}

/** What was done, then the layers from the top as a table. */
function describe(result: object): string {
  const { changed, file, layers, canUndo, canRedo } = result as {
    changed: string | null;
    file: string | null;
    layers: Layer[];
    canUndo: string | null;
    canRedo: string | null;
  };
  const lines = layers.map((layer) => {
    const facts = [layer.isVisible ? '' : 'hidden', layer.blend === 'normal' ? '' : layer.blend, layer.opacity === 1 ? '' : `opacity ${layer.opacity}`, layer.mask ? 'mask' : '', layer.regions?.join('+') ?? '']; // prettier-ignore
    return `  ${layer.name.padEnd(20)} ${layer.kind.padEnd(12)} ${factsOf(layer).padEnd(40)} ${facts.filter(Boolean).join(', ')}`.trimEnd(); // prettier-ignore
  });
  return [
    ...(changed ? [changed] : []),
    ...(file ? [`wrote ${file}`] : []),
    ...(lines.length > 0 ? ['layers, the topmost first:', ...lines] : ['no layers']),
    ...(canUndo ? [`--undo takes back: ${canUndo}`] : []),
    ...(canRedo ? [`--redo does again: ${canRedo}`] : []),
  ].join('\n');
}

function factsOf(layer: Layer): string {
  switch (layer.kind) {
    case 'sticker':
      return `${layer.size} m at ${layer.at.join(',')}${layer.turn === 0 ? '' : `, turned ${layer.turn}°`}`;
    case 'stroke':
      return `${layer.color}, radius ${layer.radius} m, ${layer.points.length} points`;
    case 'recolor':
      return `${layer.part} ${layer.color}`;
    case 'style':
      return layer.network;
    default:
      return layer.image;
  }
}
