/**
 * The circles of a graph given as node → nodes: for each strongly connected part (Tarjan) one shortest way
 * round, starting and ending at its first node.
 */
export function findCircles(edges) {
  const circles = [];
  for (const part of connectedParts(edges)) {
    const [start] = part.sort();
    if (part.length > 1 || edges.get(start).includes(start)) circles.push(wayRound(edges, start, new Set(part)));
  }
  return circles.sort();
}

function connectedParts(edges) {
  const order = new Map();
  const low = new Map();
  const stack = [];
  const onStack = new Set();
  const parts = [];
  const visit = (node) => {
    order.set(node, order.size);
    low.set(node, order.get(node));
    stack.push(node);
    onStack.add(node);
    for (const next of edges.get(node) ?? []) {
      if (!order.has(next)) visit(next);
      if (onStack.has(next)) low.set(node, Math.min(low.get(node), low.get(next)));
    }
    if (low.get(node) !== order.get(node)) return;
    const part = stack.splice(stack.indexOf(node));
    for (const member of part) onStack.delete(member);
    parts.push(part.filter((member) => edges.has(member)));
  };
  for (const node of edges.keys()) if (!order.has(node)) visit(node);
  return parts.filter((part) => part.length > 0);
}

function wayRound(edges, start, part) {
  const cameFrom = new Map();
  for (const queue = [start]; queue.length > 0; ) {
    const node = queue.shift();
    for (const next of edges.get(node)) {
      if (next === start) return [...trace(cameFrom, node), start];
      if (!part.has(next) || cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      queue.push(next);
    }
  }
  return [start];
}

function trace(cameFrom, node) {
  const way = [node];
  for (let at = cameFrom.get(node); at !== undefined; at = cameFrom.get(at)) way.unshift(at);
  return way;
}
