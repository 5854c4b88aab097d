import { THEMES, useSettings, useText } from "./settings.tsx";

const THEME_TEXTS = { system: "themeSystem", light: "themeLight", dark: "themeDark" } as const;

/** Language and theme. */
export function ViewSettings() {
  const text = useText();
  const { language, theme, change } = useSettings();
  return (
    <div className="view-settings">
      <label>
        <span className="hidden">{text("theme")}</span>
        <select value={theme} onChange={({ target }) => change({ theme: target.value as typeof theme })}>
          {THEMES.map((one) => (
            <option key={one} value={one}>
              {text(THEME_TEXTS[one])}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span className="hidden">{text("language")}</span>
        <select value={language} onChange={({ target }) => change({ language: target.value as typeof language })}>
          <option value="en">English</option>
          <option value="zh">中文</option>
        </select>
      </label>
    </div>
  );
}
