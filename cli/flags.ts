import { Option, type Command } from 'commander';
import { parseOption, rangeText, type OptionSpec, type OptionTable } from 'fate-avatar';

/** Adds one flag per option of the table: its range, unit and default stand in the help text. */
export function addFlags(command: Command, table: OptionTable): Command {
  for (const [name, spec] of Object.entries(table)) command.addOption(flag(name, spec));
  return command;
}

function flag(name: string, spec: OptionSpec<unknown>): Option {
  const long = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  if (spec.kind === 'switch') return new Option(long, spec.help);
  const placeholder = spec.placeholder ?? spec.choices?.join('|') ?? 'N';
  const facts = [spec.choices ? (spec.unit ?? '') : rangeText(spec).trim().replace(/^of /, '')];
  if (spec.default !== null) facts.push(`default ${String(spec.default)}`);
  const known = facts.filter(Boolean).join('; ');
  const help = known ? `${spec.help} (${known})` : spec.help;
  return new Option(`${long} <${placeholder}>`, help).argParser((given) => parseOption(name, spec, given));
}

/** The values among `given` that belong to the table: what the library function takes. */
export function pickOptions<Table extends OptionTable>(table: Table, given: Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(given).filter(([name]) => name in table));
}
