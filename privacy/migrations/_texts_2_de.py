"""The words of the consent texts, version 2, in German. Published; they are never edited."""

TITLES = {
    "portrait-generation": "Einwilligung in die Erstellung von Porträts",
    "reference-keeping": "Einwilligung in das Aufbewahren von Referenzfotos",
}

GENERATION = (
    ("Was erhoben wird", """
        Ein bis fünf Fotos von Ihnen selbst, die Sie einzeln abgeben. Das Foto eines Gesichts kann
        dort, wo Sie leben, als biometrische Information, als biometrisches Kennzeichen oder als
        besonders geschütztes Datum gelten, und so behandeln wir es. Um ein Foto zu prüfen und den
        Ausschnitt zu wählen, sucht ein Programm nach einem Gesicht und merkt sich, wo im Bild es
        liegt. Es berechnet keine Gesichtsschablone und keine andere Zahl, an der man Sie von jemand
        anderem unterscheiden könnte."""),
    ("Zweck und Dauer", """
        Die Fotos dienen einem einzigen Zweck: die Porträts zu malen, die Sie bestellen. Kein Modell
        wird damit trainiert, angepasst oder geprüft. Ein Foto, wie Sie es geschickt haben, bewahren
        wir höchstens 10 Minuten auf, die bereinigte Kopie, die an seine Stelle tritt, bis Ihr
        Auftrag beendet ist, und höchstens 24 Stunden. Ihre Unterschrift gilt 365 Tage; danach
        fragen wir Sie neu. Fotos für weitere Aufträge aufzubewahren ist ein eigener Zweck und
        braucht eine eigene Unterschrift; diese deckt ihn nicht ab."""),
    ("Was wann vernichtet wird", """
        Fotos werden zu den genannten Zeiten vernichtet, ohne dass Sie etwas tun müssen. Fertige
        Porträts bewahren wir 30 Tage unter einem eigenen Schlüssel für Sie auf; Sie können das
        jederzeit beenden oder auf bis zu 12 Monate ab dem Tag verlängern, an dem sie gemalt wurden.
        Vernichten heißt: Was etwas öffnet, wird sofort zerstört, danach werden die verschlüsselten
        Bytes gelöscht. Was eine Sicherungskopie noch enthält, lässt sich bei Fotos nach 9 Tagen und
        bei Porträts nach 22 Tagen nicht mehr öffnen. Ihr getippter Name wird 5 Jahre versiegelt als
        Nachweis dieser Einwilligung aufbewahrt, ebenso der Eintrag, dass eine Zufallsnummer diesen
        Text unterschrieben hat; dann wird beides gelöscht."""),
    ("Wer es sieht", """
        Kein Mensch sieht sich Ihre Fotos an. Programme von uns öffnen sie, um sie zu prüfen und um
        danach zu malen, und jedes Programm hat nur die Schlüssel, die es braucht. Wir verkaufen,
        vermieten, verleihen, tauschen und teilen die Fotos nicht, ziehen auch sonst keinen Gewinn
        aus ihnen und zeigen weder sie noch Ihre Porträts in der Werbung. Die Unternehmen, die
        Maschinen für uns betreiben, stehen in den Datenschutz-Angaben (/v1/privacy/facts)."""),
    ("Ihre Rechte", """
        Sie können jederzeit widerrufen, so einfach wie Sie jetzt unterschreiben: mit einem einzigen
        Aufruf, und niemand fragt nach einem Grund. Offene Aufträge enden dann, auch solche, die
        gerade gemalt werden, Ihre Fotos werden sofort vernichtet, und fertige Porträts bleiben oder
        gehen, wie Sie es sagen. Sie können sehen, was über Sie vorliegt, eine Kopie davon
        bekommen, ein einzelnes Foto oder Porträt löschen oder alles löschen und darüber eine
        signierte Quittung erhalten. Niemand wird schlechter behandelt, weil er ablehnt oder
        widerruft. Ohne diese Einwilligung können wir nicht nach Fotos malen; Stile, die kein Foto
        brauchen, stehen Ihnen weiter offen."""),
)

KEEPING = (
    ("Was erhoben wird", """
        Nichts Neues. Dieser Text betrifft die bereinigten Kopien von Fotos Ihres Gesichts, die Sie
        für ein Porträt abgegeben haben, bis zu fünf in einem Satz. Sie können dort, wo Sie leben,
        als biometrische Informationen, als biometrische Kennzeichen oder als besonders geschützte
        Daten gelten, und so behandeln wir sie. Solange sie aufbewahrt werden, wird aus ihnen keine
        Gesichtsschablone berechnet und keine andere Zahl, an der man Sie von jemand anderem
        unterscheiden könnte."""),
    ("Zweck und Dauer", """
        Die Kopien werden zu einem einzigen Zweck aufbewahrt: damit Sie weitere Porträts bestellen
        können, ohne die Fotos noch einmal zu schicken. Kein Modell wird damit trainiert, angepasst
        oder geprüft. Sie wählen die Zeit für jeden Satz: 24 Stunden, wenn Sie keine nennen, und
        höchstens 7 Tage. Ihre Unterschrift gilt 365 Tage, damit Sie nicht für jeden Satz
        unterschreiben müssen; jeder Satz endet trotzdem zu seiner eigenen Zeit."""),
    ("Was wann vernichtet wird", """
        Ein Satz wird vernichtet, wenn seine Zeit um ist, und sofort, wenn Sie ihn löschen oder
        diese Einwilligung widerrufen. Ein Satz, nach dem in diesem Augenblick ein offener Auftrag
        gemalt wird, wird vernichtet, wenn dieser Auftrag endet. Vernichten heißt: Was etwas öffnet,
        wird sofort zerstört, danach werden die verschlüsselten Bytes gelöscht. Was eine
        Sicherungskopie noch enthält, lässt sich nach 9 Tagen nicht mehr öffnen. Ihr getippter Name
        wird 5 Jahre versiegelt als Nachweis dieser Einwilligung aufbewahrt, ebenso der Eintrag,
        dass eine Zufallsnummer diesen Text unterschrieben hat; dann wird beides gelöscht."""),
    ("Wer es sieht", """
        Kein Mensch sieht sie sich an. Ein Programm von uns öffnet sie nur, wenn etwas, worum Sie
        bitten, sie braucht: ein Auftrag, eine Kopie Ihrer Daten, ein weiteres Foto, mit dem sie zu
        vergleichen sind. Wir verkaufen, vermieten, verleihen, tauschen und teilen
        sie nicht, ziehen auch sonst keinen Gewinn aus ihnen und zeigen sie nie in der Werbung. Die
        Unternehmen, die Maschinen für uns betreiben, stehen in den Datenschutz-Angaben
        (/v1/privacy/facts)."""),
    ("Ihre Rechte", """
        Um Porträts malen zu lassen, brauchen Sie diese Einwilligung nicht: Ohne sie enden Fotos mit
        dem Auftrag, dem sie dienen. Sie können sie jederzeit widerrufen, so einfach wie Sie jetzt
        unterschreiben: mit einem einzigen Aufruf, und niemand fragt nach einem Grund. Aufbewahrte
        Sätze werden dann sofort vernichtet, und alles andere geht weiter. Sie können sehen, was
        über Sie vorliegt, eine Kopie davon bekommen, ein einzelnes Foto löschen oder alles löschen
        und darüber eine signierte Quittung erhalten."""),
)

REGIONS = {
    "us_il": ("Illinois", """
        Dies ist die schriftliche Information, die Abschnitt 15(b) des Biometric Information Privacy
        Act (740 ILCS 14) verlangt; den öffentlichen Plan nach Abschnitt 15(a) finden Sie unter
        /v1/privacy/facts. Biometrische Kennzeichen und Informationen werden wie oben beschrieben
        erhoben und gespeichert, zu dem bestimmten Zweck und für die Dauer, die oben genannt sind.
        Sie werden vernichtet, wenn dieser Zweck erfüllt ist, auf jeden Fall aber binnen 3 Jahren
        nach Ihrem letzten Kontakt mit uns, je nachdem, was früher eintritt. Wir verkaufen,
        vermieten und tauschen sie nicht und ziehen auch sonst keinen Gewinn aus ihnen (Abschnitt
        15(c)); wir geben sie nicht weiter (Abschnitt 15(d))."""),
    "us_tx": ("Texas", """
        Nach Abschnitt 503.001 des Business and Commerce Code informieren wir Sie, bevor ein
        biometrisches Kennzeichen erfasst wird, und erfassen es nur mit Ihrer Einwilligung, die Sie
        hier geben. Dass ein Foto von Ihnen irgendwo öffentlich ist, ist keine Einwilligung, und wir
        holen uns keines von dort. Wir verkaufen und vermieten es nicht, geben es nicht weiter und
        verwahren es mit angemessener Sorgfalt. Vernichtet wird es zu den oben genannten Zeiten, auf
        jeden Fall vor dem ersten Jahrestag des Tages, an dem der Zweck endet."""),
    "us_wa": ("Washington", """
        Nach dem My Health My Data Act (RCW 19.373) können Bilder eines Gesichts, aus denen sich ein
        Kennzeichen ableiten ließe, Gesundheitsdaten von Verbrauchern sein. Dieser Text ist Ihre
        gesonderte Einwilligung in ihre Erhebung, zu dem oben genannten Zweck und zu keinem anderen.
        Wir teilen und verkaufen sie nicht; das Teilen bräuchte eine eigene Einwilligung, der
        Verkauf eine unterschriebene Ermächtigung, und um keine von beiden bitten wir Sie. Sie
        können sie überall löschen lassen, auch in Sicherungskopien, und die Unternehmen, die sie
        für uns verarbeiten, erfahren davon. Anfragen werden binnen 45 Tagen beantwortet; Sie können
        Widerspruch einlegen und sich beim Attorney General beschweren."""),
    "us_ca": ("Kalifornien", """
        Fotos Ihres Gesichts können nach dem California Consumer Privacy Act sensible persönliche
        Informationen sein. Dies ist der Hinweis bei der Erhebung: Was erhoben wird, wofür und wie
        lange, steht oben. Wir verwenden es nur für das, was Sie verlangen, sodass es keine andere
        Verwendung einzuschränken gibt (Abschnitt 1798.121), und wir verkaufen und teilen es nicht
        (Abschnitt 1798.120). Sie können erfahren, berichtigen und löschen lassen, was über Sie
        vorliegt. Anfragen werden binnen 45 Tagen beantwortet, und niemand wird deshalb schlechter
        behandelt."""),
    "eu_uk": ("Europäische Union und Vereinigtes Königreich", """
        Fotos Ihres Gesichts können biometrische Daten im Sinne von Artikel 9 der
        Datenschutz-Grundverordnung (DSGVO, und UK GDPR) sein. Wir verarbeiten sie auf Grundlage
        Ihrer ausdrücklichen Einwilligung, Artikel 6 Absatz 1 Buchstabe a und Artikel 9 Absatz 2
        Buchstabe a. Sie können sie jederzeit widerrufen (Artikel 7 Absatz 3); was vorher geschah,
        bleibt rechtmäßig. Sie haben die Rechte auf Auskunft, Berichtigung, Löschung, Einschränkung
        und Übertragbarkeit (Artikel 15 bis 20). Keine Entscheidung über Sie trifft eine Maschine
        allein. Der Nachweis Ihrer Unterschrift wird nach Artikel 7 Absatz 1 und Artikel 17 Absatz 3
        Buchstabe e aufbewahrt. Sie können sich bei der Datenschutzbehörde beschweren, die für Ihren
        Wohn- oder Arbeitsort zuständig ist; im Vereinigten Königreich ist das das Information
        Commissioner's Office."""),
    "other": ("Anderswo", """
        Das Recht dort, wo Sie leben, kann Ihnen weitere Rechte geben; nichts in diesem Text nimmt
        Ihnen eines davon. Wo immer Sie leben: Wir behandeln Fotos Ihres Gesichts so, wie es das
        strengste Gesetz verlangt, das wir kennen: Einwilligung vor der Erhebung, ein einziger
        Zweck, kurze Fristen, kein Verkauf und kein Teilen."""),
}

RELEASE = ("Ihre schriftliche Freigabe", """
    Indem Sie Ihren Namen tippen und Ja sagen, unterschreiben Sie diesen Text, mit der Absicht, ihn
    zu unterschreiben. Sie bestätigen, dass Sie ihn gelesen haben, dass Sie 18 Jahre alt oder älter
    sind und dass die Fotos Sie und niemand anderen zeigen. Sie geben Ihre schriftliche Freigabe und
    Ihre ausdrückliche Einwilligung in das, was oben beschrieben ist, zu dem Zweck und für die
    Dauer, die oben genannt sind, und in nichts anderes.""")
