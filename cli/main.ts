#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { VERSION } from 'fate-avatar';
import { addBake } from './bake.ts';
import { addCreate } from './create.ts';
import { addDemo } from './demo.ts';
import { addDoctor } from './doctor.ts';
import { addEdit } from './edit.ts';
import { addEvaluate } from './evaluate.ts';
import { EXIT, EXIT_CODE_HELP } from './exit-codes.ts';
import { addExport } from './export.ts';
import { addFit } from './fit.ts';
import { addModels } from './models.ts';
import { addRender } from './render.ts';
import { fail } from './run-command.ts';
import { addTrack } from './track.ts';

// A reader that has seen enough (`fate create … 2>&1 | head`) ends neither the work nor the process with a fault.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const program = new Command('fate')
  .description('A portrait video in, an animatable 3D Gaussian head avatar out.')
  .version(VERSION)
  .exitOverride() // commands copy this setting, so it stands before them
  .addHelpText('after', `\n${EXIT_CODE_HELP}`);

for (const add of [
  addCreate,
  addTrack,
  addFit,
  addBake,
  addEvaluate,
  addEdit,
  addRender,
  addExport,
  addDemo,
  addModels,
  addDoctor,
])
  add(program);
for (const command of program.commands) command.addHelpText('after', `\n${EXIT_CODE_HELP}`);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said what is wrong; help and version are no errors.
    if (error.exitCode === 0 || error.code === 'commander.help') process.exitCode = EXIT.ok;
    else if (process.argv.includes('--json')) await fail(error, true);
    else process.exitCode = EXIT.usage;
  } else {
    await fail(error, process.argv.includes('--json'));
  }
}
