/**
 * Options described once: the library checks values by the table, the command makes its flags from it and the studio
 * its controls. A table maps an option's name (lowerCamelCase) to its description; `OptionValues<typeof TABLE>` is the
 * type of the resolved options.
 */
export interface OptionSpec<Value> {
  readonly kind: 'integer' | 'number' | 'text' | 'choice' | 'switch';
  /** What holds when the option is not given. `null`: nothing, the stage decides; `help` says how. */
  readonly default: Value;
  readonly help: string;
  readonly unit?: string;
  /** Smallest and largest allowed number, both included. */
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly (string | number)[];
  /** Placeholder in the help text, e.g. `FOLDER`. */
  readonly placeholder?: string;
}

export type OptionTable = Readonly<Record<string, OptionSpec<unknown>>>;
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends OptionSpec<infer Value> ? Value : never;
};

/** A value that an option does not take. The message names the option, the value and what is allowed. */
export class OptionError extends RangeError {
  override readonly name = 'OptionError';
}

type Facts = Pick<OptionSpec<unknown>, 'help' | 'unit' | 'min' | 'max' | 'placeholder'>;

/** A whole number. */
export function integer<Default extends number | null>(
  facts: Facts & { default: Default },
): OptionSpec<Default extends null ? number | null : number> {
  return { kind: 'integer', ...facts } as OptionSpec<never>;
}

/** A finite number. */
export function number<Default extends number | null>(
  facts: Facts & { default: Default },
): OptionSpec<Default extends null ? number | null : number> {
  return { kind: 'number', ...facts } as OptionSpec<never>;
}

/** Any text, such as a path. */
export function text<Default extends string | null>(
  facts: Facts & { default: Default },
): OptionSpec<Default extends null ? string | null : string> {
  return { kind: 'text', ...facts } as OptionSpec<never>;
}

/** One of a few values. */
export function choice<const Choice extends string | number>(
  facts: Facts & { default: NoInfer<Choice>; choices: readonly Choice[] },
): OptionSpec<Choice> {
  return { kind: 'choice', ...facts };
}

/** On or off; off unless given. */
export function toggle(facts: Pick<Facts, 'help'>): OptionSpec<boolean> {
  return { kind: 'switch', default: false, ...facts };
}

/** Every option of the table: as given, or its default. Throws `OptionError` for a wrong value or an unknown name. */
export function resolveOptions<Table extends OptionTable>(
  table: Table,
  given: Partial<OptionValues<Table>> = {},
): OptionValues<Table> {
  for (const name of Object.keys(given)) {
    if (!table[name]) throw new OptionError(`unknown option "${name}"; there are ${Object.keys(table).join(', ')}`);
  }
  const resolved = Object.entries(table).map(([name, spec]) => {
    const value = (given as Record<string, unknown>)[name];
    if (value === undefined) return [name, spec.default];
    if (value === null && spec.default === null) return [name, null];
    const fault = faultOf(spec, value);
    if (fault) throw new OptionError(`option "${name}" is ${JSON.stringify(value)}, but must be ${fault}`);
    return [name, value];
  });
  return Object.fromEntries(resolved) as OptionValues<Table>;
}

/** The value that `text` (from a command line or a form) stands for. Throws `OptionError`. */
export function parseOption(name: string, spec: OptionSpec<unknown>, given: string): unknown {
  const isNumber = spec.kind === 'integer' || spec.kind === 'number' || typeof spec.choices?.[0] === 'number';
  const value = isNumber ? (given.trim() === '' ? Number.NaN : Number(given)) : given;
  const fault = faultOf(spec, value);
  if (fault) throw new OptionError(`option "${name}" is "${given}", but must be ${fault}`);
  return value;
}

/** What the value should have been, or null when it is allowed. */
function faultOf(spec: OptionSpec<unknown>, value: unknown): string | null {
  const { kind, choices } = spec;
  if (kind === 'choice') return choices!.includes(value as string) ? null : `one of ${choices!.join(', ')}`;
  if (kind === 'switch') return typeof value === 'boolean' ? null : 'true or false';
  if (kind === 'text') return typeof value === 'string' && value !== '' ? null : 'a text that is not empty';
  const { min = -Infinity, max = Infinity } = spec;
  const isRightKind = kind === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (isRightKind && (value as number) >= min && (value as number) <= max) return null;
  return `${kind === 'integer' ? 'a whole number' : 'a number'}${rangeText(spec)}`;
}

/** ` from 1 to 10 metres`, as far as the table says so. */
export function rangeText({ min, max, unit }: OptionSpec<unknown>): string {
  const range =
    min !== undefined && max !== undefined
      ? ` from ${min} to ${max}`
      : min !== undefined
        ? ` of at least ${min}`
        : max !== undefined
          ? ` of at most ${max}`
          : '';
  return unit ? `${range} ${unit}` : range;
}
