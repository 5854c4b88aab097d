import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { en, type TextKey } from "../text/en.ts";
import { zh } from "../text/zh.ts";

export const LANGUAGES = ["en", "zh"] as const;
export const THEMES = ["system", "light", "dark"] as const;
/** Seconds. */
export const WINDOWS = [60, 300, 900, 3600] as const;

/** How somebody wants to see the page; kept in the browser. */
export interface Settings {
  readonly language: (typeof LANGUAGES)[number];
  readonly theme: (typeof THEMES)[number];
  readonly window: (typeof WINDOWS)[number];
}

interface Held extends Settings {
  change(settings: Partial<Settings>): void;
}

const KEY = "mixerless.view";
const Context = createContext<Held | null>(null);

export function SettingsProvider({ children }: { readonly children: ReactNode }) {
  const [settings, setSettings] = useState(read);
  useEffect(() => {
    document.documentElement.dataset.theme = settings.theme;
    localStorage.setItem(KEY, JSON.stringify(settings));
  }, [settings]);
  const held = useMemo(
    () => ({ ...settings, change: (more: Partial<Settings>) => setSettings((old) => ({ ...old, ...more })) }),
    [settings],
  );
  return <Context value={held}>{children}</Context>;
}

export function useSettings(): Held {
  const held = useContext(Context);
  if (held === null) throw new Error("useSettings is used outside of SettingsProvider.");
  return held;
}

/** Says something in the chosen language. */
export type Text = (key: TextKey, values?: Readonly<Record<string, string | number>>) => string;

export function useText(): Text {
  const { language } = useSettings();
  return useMemo(() => {
    const texts: Readonly<Record<TextKey, string>> = language === "zh" ? zh : en;
    return (key, values = {}) =>
      texts[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  }, [language]);
}

function read(): Settings {
  const asked = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
  const defaults: Settings = { language: asked, theme: "system", window: 60 };
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>;
    return {
      language: LANGUAGES.find((one) => one === kept.language) ?? defaults.language,
      theme: THEMES.find((one) => one === kept.theme) ?? defaults.theme,
      window: WINDOWS.find((one) => one === kept.window) ?? defaults.window,
    };
  } catch {
    return defaults;
  }
}
