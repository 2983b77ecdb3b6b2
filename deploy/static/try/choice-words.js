// The words of what can be chosen where there is no photo; loaded when somebody chooses.

const en = {
  subject: "Who", person: "A person", woman: "A woman", man: "A man", older_woman: "An older woman", older_man: "An older man",
  skin: "Skin", medium: "Medium", very_light: "Very light", light: "Light", tan: "Tan", brown: "Brown", dark: "Dark",
  hair: "Hair", short: "Short", long: "Long", curly: "Curly", bob: "Bob", bun: "Bun", coily: "Coily", shaved: "Shaved", head_scarf: "Headscarf",
  hair_colour: "Hair colour", black: "Black", blond: "Blond", red: "Red", grey: "Grey", white: "White",
  expression: "Expression", calm: "Calm", smile: "A smile", serious: "Serious", thoughtful: "Thoughtful", laugh: "A laugh",
  light_label: "Light", clothing: "Clothes", shirt: "Shirt", sweater: "Sweater", suit: "Suit", turtleneck: "Turtleneck", jacket: "Jacket", dress: "Dress",
  soft: "Soft", window: "From a window", golden: "Golden", dramatic: "Dramatic", cool: "Cool",
  background: "Background", plain: "Plain", warm: "Warm", garden: "Garden", city: "City", sky: "Sky",
  camera: "Distance", head_and_shoulders: "Head and shoulders", headshot: "Head", half_body: "Down to the waist",
};

const de = {
  subject: "Wer", person: "Eine Person", woman: "Eine Frau", man: "Ein Mann", older_woman: "Eine ältere Frau", older_man: "Ein älterer Mann",
  skin: "Haut", medium: "Mittel", very_light: "Sehr hell", light: "Hell", tan: "Gebräunt", brown: "Braun", dark: "Dunkel",
  hair: "Haar", short: "Kurz", long: "Lang", curly: "Lockig", bob: "Bob", bun: "Dutt", coily: "Kraus", shaved: "Rasiert", head_scarf: "Kopftuch",
  hair_colour: "Haarfarbe", black: "Schwarz", blond: "Blond", red: "Rot", grey: "Grau", white: "Weiß",
  expression: "Ausdruck", calm: "Ruhig", smile: "Ein Lächeln", serious: "Ernst", thoughtful: "Nachdenklich", laugh: "Ein Lachen",
  light_label: "Licht", clothing: "Kleidung", shirt: "Hemd", sweater: "Pullover", suit: "Anzug", turtleneck: "Rollkragen", jacket: "Jacke", dress: "Kleid",
  soft: "Weich", window: "Vom Fenster", golden: "Golden", dramatic: "Dramatisch", cool: "Kühl",
  background: "Hintergrund", plain: "Schlicht", warm: "Warm", garden: "Garten", city: "Stadt", sky: "Himmel",
  camera: "Abstand", head_and_shoulders: "Kopf und Schultern", headshot: "Kopf", half_body: "Bis zur Hüfte",
};

export const CHOICES = { en, de };
