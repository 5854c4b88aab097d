/** Steps that looking for one text in another may take at worst, which is their product. */
export function searchCost(text: string, part: string): number {
  return (text.length >> 8) + Math.floor((text.length * part.length) / 16_384);
}
