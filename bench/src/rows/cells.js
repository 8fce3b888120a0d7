// The figures of one cell over all rounds, and how two cells compare.

/** The middle value; noise of the machine moves it least. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

/** Lowest and highest ratio of any round: each round's cells ran next to each other, so drift is not in it. */
export function spread(numerators, denominators) {
  const ratios = numerators.map((value, round) => value / denominators[round]);
  return [Math.min(...ratios), Math.max(...ratios)];
}
