/** Where an endpoint or a proxy is. Empty parts are unknown. */
export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subzone: string;
}

export const UNKNOWN_LOCALITY: Locality = Object.freeze({ region: "", zone: "", subzone: "" });

/** `region/zone/subzone`; missing tails are empty. */
export function parseLocality(text: string): Locality {
  const [region = "", zone = "", subzone = ""] = text.split("/");
  return Object.freeze({ region, zone, subzone });
}

/** The locality that labels tell, or undefined (§4.1). In `istio-locality` a dot stands for the slash. */
export function localityOfLabels(labels: Readonly<Record<string, string>>): Locality | undefined {
  const override = labels["topology.istio.io/locality"] ?? labels["istio-locality"];
  if (override !== undefined && override !== "") {
    return parseLocality(override.includes("/") ? override : override.replaceAll(".", "/"));
  }
  const region = labels["topology.kubernetes.io/region"] ?? "";
  const zone = labels["topology.kubernetes.io/zone"] ?? "";
  const subzone = labels["topology.istio.io/subzone"] ?? "";
  return region + zone + subzone === "" ? undefined : Object.freeze({ region, zone, subzone });
}
