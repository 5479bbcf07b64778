/** Bind groups by what was given from outside, so that a training loop makes none. */
export class BindGroups {
  readonly #ids = new WeakMap<GPUBuffer, number>();
  readonly #groups = new Map<string, GPUBindGroup>();
  #nextId = 0;

  /** The group made of `outside` resources, by `make` the first time. */
  get(name: string, outside: readonly (GPUBuffer | GPUBufferBinding)[], make: () => GPUBindGroup): GPUBindGroup {
    const key = `${name} ${outside.map((resource) => this.#idOf(resource)).join(' ')}`;
    let group = this.#groups.get(key);
    if (!group) {
      if (this.#groups.size > 4096) this.#groups.clear();
      group = make();
      this.#groups.set(key, group);
    }
    return group;
  }

  #idOf(resource: GPUBuffer | GPUBufferBinding): string {
    const binding = 'buffer' in resource ? resource : { buffer: resource };
    let id = this.#ids.get(binding.buffer);
    if (id === undefined) {
      id = this.#nextId++;
      this.#ids.set(binding.buffer, id);
    }
    return `${id}+${binding.offset ?? 0}`;
  }
}
