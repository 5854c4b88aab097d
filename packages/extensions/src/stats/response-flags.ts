/** Short names by bit. */
const NAMES: string[] = [
  "LH",
  "UH",
  "UT",
  "LR",
  "UR",
  "UF",
  "UC",
  "UO",
  "NR",
  "DI",
  "FI",
  "RL",
  "UAEX",
  "RLSE",
  "DC",
  "URX",
  "SI",
  "IH",
  "DPE",
  "UMSDR",
  "RFCF",
  "NFCF",
  "DT",
  "UPE",
  "NC",
  "OM",
  "DF",
  "DO",
  "DR",
  "UDO",
];

/** The value of the label `response_flags`: short names joined by commas in the order of the bits, `-` for none. */
export function responseFlags(flags: i32): string {
  let text = "";
  for (let i: i32 = 0; i < NAMES.length; i++) {
    if ((flags & (1 << i)) === 0) continue;
    text += text.length > 0 ? `,${NAMES[i]!}` : NAMES[i]!;
  }
  return text.length > 0 ? text : "-";
}
