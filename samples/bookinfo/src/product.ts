/** The one product of the shop. */
export interface Product {
  id: number;
  title: string;
  /** Markup of our own, sent as it is. */
  descriptionHtml: string;
}

export const products: readonly Product[] = [
  {
    id: 0,
    title: "The Comedy of Errors",
    descriptionHtml:
      "A merchant's son lands in <em>Ephesus</em>, where a twin brother nobody told him about has lived for years. " +
      "Their servants are twins as well. One day, one town, every door opened by the wrong person: Shakespeare's " +
      "shortest play runs on being taken for somebody else.",
  },
];
