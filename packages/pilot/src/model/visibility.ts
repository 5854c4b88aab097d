/** A resolved `exportTo`: everybody, nobody, or these namespaces. */
export type Visibility = "public" | "none" | ReadonlySet<string>;
