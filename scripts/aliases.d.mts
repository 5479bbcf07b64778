export const packageAliases: { find: RegExp; replacement: string }[];
