"""The words of the consent texts, version 2, in English. Published; they are never edited."""

TITLES = {
    "portrait-generation": "Consent to portrait generation",
    "reference-keeping": "Consent to keeping reference photos",
}

GENERATION = (
    ("What is collected", """
        One to five photos of yourself, which you hand in one at a time. A photo of a face may be
        biometric information, a biometric identifier or sensitive data under the law where you
        live, and we treat it so. To check a photo and to frame it, a program looks for a face and
        notes where in the picture it lies. It computes no face template and no other number that
        could tell you from somebody else."""),
    ("Purpose and length of term", """
        The photos are used for one purpose: to paint the portraits that you order. No model is
        trained, adapted or tested on them. A photo as you sent it is held for 10 minutes at the
        most. The cleaned copy that takes its place is held until your order has ended, and for
        24 hours at the most. Your signature holds for 365 days; after that we ask you anew.
        Keeping photos for further orders is a purpose of its own and asks for a signature of its
        own; this one does not cover it."""),
    ("What is destroyed, and when", """
        Photos are destroyed at the times above without your doing anything. Finished portraits are
        kept for 30 days under a key of your own; you may end that at any time, or extend it up to
        12 months from the day on which they were painted. To destroy something, we destroy what
        opens it, at once, and delete the encrypted bytes after that. What a backup still holds
        cannot be opened any more after 9 days for photos and after 22 days for portraits. Your
        typed name is kept sealed for 5 years, as evidence of this consent, and so is the entry
        that a random number signed this text; then both are deleted."""),
    ("Who sees it", """
        No person looks at your photos. Programs of ours open them, to check them and to paint from
        them, and each program holds only the keys that it needs. We do not sell, lease, lend,
        trade or share the photos, do not profit from them in another way, and show neither them
        nor your portraits in advertising. The companies that run machines for us are named in the
        privacy facts (/v1/privacy/facts)."""),
    ("Your rights", """
        You may withdraw at any time, as easily as you sign now: it is one call, and nobody asks for
        a reason. Open orders then stop, also those that are being painted, your photos are
        destroyed at once, and finished portraits stay or go as you say. You may see what is held
        on you, get a copy of it, delete a single photo or portrait, or erase everything and get a
        signed receipt. Nobody treats you worse for refusing or withdrawing. Without this consent we
        cannot paint from photos; styles that need no photo stay open to you."""),
)

KEEPING = (
    ("What is collected", """
        Nothing new. This text is about the cleaned copies of photos of your face that you have
        handed in for a portrait, up to five in a set. They may be biometric information, biometric
        identifiers or sensitive data under the law where you live, and we treat them so. No face
        template and no other number that could tell you from somebody else is computed from them
        while they are kept."""),
    ("Purpose and length of term", """
        The copies are kept for one purpose: that you can order further portraits without sending
        the photos again. No model is trained, adapted or tested on them. You choose the time for
        each set: 24 hours if you name none, and 7 days at the most. Your signature holds for
        365 days, so that you need not sign for each set; every set still ends at its own time."""),
    ("What is destroyed, and when", """
        A set is destroyed when its time is over, and at once when you delete it or withdraw this
        consent. A set that an open order is being painted from at that moment is destroyed when
        that order ends. To destroy something, we destroy what opens it, at once, and delete the
        encrypted bytes after that. What a backup still holds cannot be opened any more after
        9 days. Your typed name is kept sealed for 5 years, as evidence of this consent, and so is
        the entry that a random number signed this text; then both are deleted."""),
    ("Who sees it", """
        No person looks at them. A program of ours opens them only when something that you ask for
        needs them: an order, a copy of your data, a further photo to compare with. We do not sell, lease, lend, trade or share them, do not profit from them
        in another way, and never show them in advertising. The companies that run machines for us
        are named in the privacy facts (/v1/privacy/facts)."""),
    ("Your rights", """
        You do not need this consent in order to have portraits painted: without it, photos end with
        the order that they serve. You may withdraw it at any time, as easily as you sign now: it is
        one call, and nobody asks for a reason. Kept sets are then destroyed at once, and everything
        else goes on. You may see what is held on you, get a copy of it, delete a single photo, or
        erase everything and get a signed receipt."""),
)

REGIONS = {
    "us_il": ("Illinois", """
        This is the information in writing that section 15(b) of the Biometric Information Privacy
        Act (740 ILCS 14) asks for; the public schedule of section 15(a) is at /v1/privacy/facts.
        Biometric identifiers and biometric information are collected and stored as described
        above, for the specific purpose and the length of term stated above. They are destroyed
        when that purpose has been satisfied, and in any case within 3 years of your last
        interaction with us, whichever comes first. We do not sell, lease, trade or otherwise
        profit from them (section 15(c)) and do not disclose them (section 15(d))."""),
    "us_tx": ("Texas", """
        Under section 503.001 of the Business and Commerce Code we inform you before a biometric
        identifier is captured, and capture it with your consent only, which you give here. That a
        photo of you is public somewhere is no consent, and we fetch none from there. We do not
        sell, lease or disclose it, and store it with reasonable care. It is destroyed at the times
        above, and in any case before the first anniversary of the day on which the purpose
        ends."""),
    "us_wa": ("Washington", """
        Under the My Health My Data Act (RCW 19.373), pictures of a face from which an identifier
        could be derived may be consumer health data. This text is your separate consent to their
        collection, for the purpose stated above and for no other. We do not share them and do not
        sell them; sharing would need a consent of its own and selling a signed authorization, and
        we ask you for neither. You may have them deleted everywhere, backups included, and the
        companies that process them for us are told. Requests are answered within 45 days; you may
        appeal, and complain to the Attorney General."""),
    "us_ca": ("California", """
        Photos of your face may be sensitive personal information under the California Consumer
        Privacy Act. This is the notice at collection: what is collected, for what, and how long it
        is kept stands above. We use it only to do what you ask for, so there is no other use to
        limit (section 1798.121), and we do not sell or share it (section 1798.120). You may know,
        correct and delete what is held on you. Requests are answered within 45 days, and nobody is
        treated worse for making them."""),
    "eu_uk": ("European Union and United Kingdom", """
        Photos of your face may be biometric data in the sense of article 9 of the General Data
        Protection Regulation (GDPR, and UK GDPR). We process them on the basis of your explicit
        consent, articles 6(1)(a) and 9(2)(a). You may withdraw it at any time (article 7(3)); what
        was done before stays lawful. You have the rights of access, rectification, erasure,
        restriction and portability (articles 15 to 20). No decision about you is made by a machine
        alone. The evidence of your signature is kept under articles 7(1) and 17(3)(e). You may
        complain to the data protection authority where you live or work; in the United Kingdom
        that is the Information Commissioner's Office."""),
    "other": ("Elsewhere", """
        The law where you live may give you further rights; nothing in this text takes any of them
        away. Wherever you live, we treat photos of your face as the strictest of the laws that we
        know asks for: consent before collection, one purpose, short terms, no sale and no
        sharing."""),
}

RELEASE = ("Your written release", """
    By typing your name and saying yes you sign this text, with the intent to sign it. You confirm
    that you have read it, that you are 18 years old or older, and that the photos show you and
    nobody else. You give your written release and your explicit consent to what is described
    above, for the purpose and the length of term stated above, and to nothing else.""")
