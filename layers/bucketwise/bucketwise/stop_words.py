"""Words that say nothing about what a text is about, by ISO 639-1 code: articles, pronouns, auxiliaries and the like.

Neither stored nor asked for; how often they come tells a text's language. Written for this project from the grammars of
these languages, as the analysis leaves words: composed, without points and joiners, and cut at apostrophes.
"""

STOP_WORDS = {
    language: frozenset(words.casefold().split())
    for language, words in {
        "ar": """أن أو أي إذا إلا إلى إن التي الذي الذين الى ان او بعد بعض بل بين تلك تم ثم حتى حيث ذلك على عن عند
            غير فقد فهو في قبل قد كان كانت كل كما كيف لا لقد لم لن له لها ليس ما مع من منذ منه منها هذا هذه هل هم
            هناك هو هي و وقد ولا وهو وهي يا يكون""",
        "ca": """a al als altres amb aquell aquella aquest aquesta aquestes aquests c com d de del dels des doncs
            durant el ella ells els en ens entre era eren es et fins ha han havia hi i jo l la les li m meu molt més
            n ni no nosaltres o on pel pels per perquè però qual quals quan que qui què s sense ser seu seus seva
            seves si sobre sota són t també tot tots un una unes uns va van és""",
        "cs": """a aby ale ani asi až bez bude budou by byl byla bylo byly být co což další do ho i jak jako je jeho
            jej jejich jen ještě ji již jsem jsme jsou jste k kde kdo kdy ke která které který kteří ma mezi mi musí
            máme mít může na nad ne nebo není než o od on ona oni po pod podle pokud pouze pro proti proto protože
            před při s se si své svůj tak také tato tedy ten tento to toho tom tomto tomu tu ty tyto tím těchto u už
            v ve však z za zda ze že""",
        "da": """af alle at blev blive bliver bør da de dem den denne der deres det dette dig din disse dit dog du
            efter eller en end er et for fordi fra før ham han hans har havde have hende her hos hun hvad hvem hver
            hvilke hvilken hvis hvor hvordan hvorfor hvorfra i ikke ind indtil ingen intet jeg jer jo kan kun kunne
            man med meget mellem men mig min mod må ned noget nogle nu når og også om op os over på selv sig sin
            sine sit skal skulle som så sådan til ud uden under var ved vi vil ville vores være været""",
        "de": """aber alle allem allen aller alles als also am an auch auf aus bei beim bin bis bist da dann das
            dass dem den denn der des die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem
            einen einer eines er es etwas euch für gegen hab habe haben hat hatte hatten hier hinter ich ihm ihn
            ihnen ihr ihre ihrem ihren ihrer im in indem ins ist jede jedem jeden jeder jedes kann kein keine keinem
            keinen keiner können man mein meine mich mir mit muss nach nicht nichts noch nun nur ob oder ohne sehr
            sein seine seinem seinen seiner selbst sich sie sind so solche soll sollte um und uns unser unter vom
            von vor war waren warum was weil welche welchem welchen welcher welches wenn wer werde werden wie wieder
            wir wird wo wurde wurden zu zum zur zwar zwischen über""",
        "el": """ένα ένας έχει έχουν ή ήταν αλλά αν ανά από αυτά αυτές αυτή αυτό αυτός για δεν είναι είχε εγώ εδώ
            εκεί ενώ θα κάθε και κατά κι μέσα μία μα με μετά μη μην μια μου να ο οι πιο ποια ποιο ποιος πολύ που πού
            πριν προς πως πώς σαν σας σε στα στη στην στις στο στον στους τα τη την της τι τις το τον του τους των
            ως όμως όπως όσο όταν ότι όχι""",
        "en": """a about above after again against all am an and any are as at be because been before being below
            between both but by can cannot could did do does doing down during each few for from further had has
            have having he her here hers him himself his how i if in into is it its itself just me might more most
            must my no not of off on once only or other our out over own same shall she should so some such than
            that the their them themselves then there these they this those through to too under until up us very
            was we were what when where which while who whom whose why will with would you your""",
        "eo": """al ankaŭ antaŭ aŭ da de dum eble el en estas esti estis estos iam ili ilia iu iuj jam kaj ke kiam
            kie kiel kio kiom kion kiu kiuj kiun kun la laŭ li lia mi ne ni nur ol onia per plej pli por post pri
            pro se sed sen si sia sub sur tamen tio tion tiu tiuj tra tre unu vi via ĉar ĉe ĉi ĉiu ĉiuj ĝi ĝis""",
        "es": """a al algo algunas algunos ante antes aquel aquella como con contra cual cuales cuando cuál cuáles
            cuándo cuánto cuántos cómo de del desde donde durante dónde e el ella ellas ellos en entre era eran es
            esa esas ese eso esos esta estaba estas este esto estos está están fue fueron ha había habían han hasta
            hay la las le les lo los me mi mis muy más ni no nos nosotros o os otra otras otro otros para pero por
            porque que quien quienes quién quiénes qué se ser si sido sin sobre son su sus sí también tan te tiene
            tienen todo todos tu tus un una unas uno unos y ya yo él""",
        "et": """aga ega ehk ei enam et ja ka kas kes kui kuid kuidas kus kõik ma me mida millal mille mis mitte
            mitu mu mul mõne nad nagu need nende nii ning ole oleks olema oli olid olla oma on peab pole pärast sa
            saab sai seda see selle selles siin siis ta te tema tuleb välja või võib üks üle""",
        "eu": """al ala baina baino bat batean batek baten batzuk bere beste bezala da dago daude dela den dena dira
            diren ditu du due dute edo egin ere eta ez gara gure han hau hauek hor hori horiek hura izan izango ni
            nire noiz nola non nor zein zen zer zergatik ziren zu zuen zuten""",
        "fa": """آن آنها آیا از است اما او اگر ای این اینکه با باید بر برای به بود بودند بین تا تر تمام خود در دیگر
            را شد شده شما شود ما مانند من می میشود نمی نه نیز نیست ها های هایی هر هم همه هیچ و ولی وی پس پیش چرا چند
            چه چون چگونه کدام کرد کرده کند که کی یا یک""",
        "fi": """ei eivät eli en ennen että he hän häntä ja jo joita joka jos jossa jotka jotta kanssa koska kuin
            kuinka kuka kun me miksi mikä milloin minä missä mitä mukaan mutta myös ne niiden niin noin nyt näiden
            näitä ole olen oli olisi olisivat olivat olla on ovat ovatko se sekä sen siinä sillä sinä sitä tai te
            tulee tämä tämän tässä vaan vain voi voidaan voivat""",
        "fr": """afin ai aie ainsi alors après as au aucun aucune aussi autre autres aux avait avant avec avez avoir
            avons c car ce ceci cela celle celles celui ces cet cette ceux chez comme comment d dans de depuis des
            donc dont du elle elles en encore entre es est et eu eux furent fut il ils j je jusqu l la le les leur
            leurs lors lorsqu lui là m ma mais me mes moi mon même n ne ni nos notre nous on ont ou où par pas
            pendant peut plus pour pourquoi puisqu qu quand que quel quelle quelles quels qui quoi s sa sans se sera
            ses si soit son sont sous sur t ta te tes toi ton tous tout toute toutes tu un une vos votre vous y à
            étaient était être""",
        "ga": """a ach ag agus an anois ar as atá b ba bhfuil bhí cad chuig chun conas cá cé de den do don dá faoi
            féin gan go gur i iad idir in is le leis mar mo má mé na nach nuair ná ní níl nó os sa san seo siad sin
            sna sular sé sí tar thar trí tá tú um é í ó""",
        "hi": """अपना अपनी अपने अब आदि आप इन इस इसका इसकी इसके इसे उन उनका उनकी उनके उस उसका उसकी उसके उसे एक एवं
            ऐसा ऐसे और कब कर करता करते करना करने कहाँ का कि किया किसी की कुछ के को कोई कौन क्या क्यों गई गए गया जब
            जा जाता जाती जाते जैसे जो तक तब तो था थी थे दिया द्वारा न नहीं ने पर बहुत भी में मैं यदि यह यहाँ या ये
            रहा रही रहे लिए लेकिन वह वहाँ वे साथ से हम ही हुआ हुई हुए है हैं हो होता होती होते होना होने""",
        "hu": """a abban ahhoz ahogy aki akik akkor alapján alatt amely amelyek ami az azaz azok azt be csak de e
            egy egyes egyik egyéb el ellen elé előtt en ennek erre es ez ezek ezt ezért fel felé ha hanem hogy
            hogyan hol honnan ide igen ill ilyen is itt kell kellett keresztül ki két le legyen lehet lenne lesz
            lett maga majd meg mely melyik mert mi mikor mind mint mivel miért most már nagyon ne nem nincs nélkül
            olyan ott pedig persze s saját sem szerint számára tehát több után utána vagy vagyis van vannak volt
            voltak össze úgy új ő ők""",
        "hy": """այդ այլ այն այս այստեղ արդեն բայց դա դեռ դու եթե են ենք ես եւ է էին էր ըստ թե թող ի ինչ ինչու
            ինչպես ինչպիսի իր իրենց կա կամ համար հետ հետո մեզ մենք մեջ մի միայն միջեւ նա նաեւ նման նրա նրանք ով որ
            որի որոնք որոշ որպես որտեղ ու չէ չի պետք պիտի վրա""",
        "id": """ada adalah agar akan aku anda apa apakah atau bagaimana bagi bahwa baru beberapa belum bila bisa
            bukan dalam dan dapat dari dengan di dia hanya harus hingga ia ini itu jika juga kami kamu kapan karena
            ke kepada ketika kita lagi lebih maka mana masih mereka namun oleh pada para pun saat saja saya sebagai
            sebuah secara sehingga sejak semua seorang seperti serta setelah siapa suatu sudah tanpa telah tentang
            tersebut tetapi tidak untuk yaitu yang""",
        "it": """a ad agli ai al all alla alle allo anche ancora avere aveva avevano c che chi ci cioè col coll come
            con contro cosa così cui d da dagli dai dal dall dalla dalle dallo degli dei del dell della delle dello
            di dopo dove e ed egli era erano essa esse essere essi fino fra fu furono gli ha hanno ho i il in io l
            la le lei li lo loro lui ma me mi mia mio ne negli nei nel nell nella nelle nello noi non nostro o ogni
            oppure per perché però più poi prima qual quale quali quando quanto quell quella quelle quelli quello
            quest questa queste questi questo qui se sei senza si sia siamo sono sopra sotto stata state stati stato
            su sua sue sugli sui sul sull sulla sulle suo suoi tra tu tutti tutto un una uno vi voi è""",
        "lt": """apie ar arba aš bei bet buvo būti būtų dar dėl gali iki ir iš jau jei jeigu ji jie jis jo jos ją jų
            kad kada kai kaip kas kodėl kokia kokie koks kol kur kuri kurie kurios kuris kurių ką labai man mes mūsų
            ne nebuvo nei nes nors nuo nėra o pagal pas per po prie prieš savo su tai taip tačiau tik to tos tuo tą
            tų už visi yra į šia šie šio šios šis šią""",
        "ne": """अझै अनि अनुसार अब अरू आफू आफ्नो उनको उनले उनी उनीहरू ऊ एउटा एक एवं एवम् कति कसरी कसले कहाँ कि किन
            कुन कुनै के को गरिएको गरी गरे गरेको गर्न गर्ने छ छन् छु छैन जब जसले जस्तो जो त तथा तपाई तपाईँ तपाईं
            तपाईंको तर तापनि त्यस त्यो थिए थियो देखि द्वारा धेरै न नै पछि पनि भए भएको भने भन्ने भयो म मा मात्र माथि
            यदि यस यसको यसरी यी यो र रहेको रूपमा लाई लागि ले वा संग सक्छ सक्नुहुन्छ सबै साथै सो हरू हामी हाम्रो हुन
            हुने हुन्छ हो""",
        "nl": """aan al alle als ben bij daar dan dat de deze die dit doch door dus een en er ge geen had hadden heb
            hebben heeft hem het hier hij hoe hun ik in is ja je kan kon kunnen maar me meer men met mij mijn moet
            na naar niet niets nog nu of om omdat onder ons ook op over reeds te tegen toch toen tot u uit uw van
            veel voor waar waarom waren was wat we wel welke werd werden wie wij wil worden wordt ze zelf zich zij
            zijn zo zonder zou""",
        "no": """alle at av bare ble bli blir bør da de deg dem den denne der deres det dette di din disse ditt du
            eller en enn er et ett etter for fordi fra før ha hadde han hans har hennes her hos hun hva hvem hver
            hvilke hvilken hvis hvor hvordan hvorfor i ikke ingen inn jeg kan kun kunne man med meg mellom men min
            mot må ned noe noen nå når og også om opp oss over på seg selv si sin skal skulle slik som så til under
            ut uten var ved vi vil ville vår våre vårt være vært å""",
        "pl": """a aby ale ani bardzo bez bo by być był była było były ci co czy dla do gdy gdzie go i ich ile im ja
            jak jaka jaki jakie jako je jednak jego jej jest jeszcze jeśli już kiedy kto która które którego której
            który których którym którzy lub ma mi mnie może my na nad nie nim niż o od on ona one oni ono oraz po
            pod przed przez przy się są ta tak także tam te tego tej ten to tu tych tylko tym w we wszystko z za ze
            że""",
        "pt": """a ao aos aquela aquele aquilo as até com como da das de dela dele deles depois do dos e ela elas
            ele eles em entre era eram essa essas esse esses esta estas este estes está estão eu foi foram há isso
            isto já lhe lhes mais mas me mesmo meu minha muito na nas nem no nos nossa nosso não nós o onde os ou
            para pela pelas pelo pelos por porque quais qual quando quanto que quem se sem ser seu seus sido sobre
            sua suas são só também te tem tinha todos tu têm um uma umas uns você vocês à às é""",
        "ro": """a acea aceasta această aceea acela acest aceste acestea acestei acestor acestui aceștia ai aici al
            ale am ar are asta au avea avem avut așa ați ca care ce cea cei cel cele celor chiar cine cu cui cum
            când cât că către da dacă dar de deci despre din dintre doar după ea ei el ele era erau este eu fi fie
            fiecare fiind fost fără i iar la le lor lui mai mea mi mult nici noi nu o ori pe pentru peste prin până
            s sa sau se spre sub sunt să său te toate tot toți tu un una unde unei unor unui va vor îi îl în însă
            între își și""",
        "ru": """а без более бы был была были было быть в вам вас весь во вот все всех вы где да даже для до его ее
            ей если есть еще ещё же за и из или им их к как какая какие какой когда кто ли мне может мы на над не
            него нее нет ни них но о об однако он она они оно от по под почему при с сам свою себя со так также там
            тем то того тоже только том ты у уже чего чем что чтобы эта эти это этого этой этом этот я""",
        "sr": """a ako ali bez bi bila bili bilo bio biti da do dok gde gdje i ih ili im ima iz ja je jedan jer
            jesam jesu još kad kada kako kao ko kod koja koje koji koju kroz li mi može na nad ne nego nema ni nije
            nisu o od on ona oni ono ova ovaj ove ovo pa po pod pre pri s sa samo se smo ste su sve svi ta taj te to
            tom u uz vam vas vi za zašto će šta što а ако али бар без би била биле били било био бити ви где да до
            док за зашто и из или им има их кад када како као ко код коме која које којег који ли ме мене ми може
            мој на над нам не него ни нису није но о од он она они оно осим па по под пре при с са сам само све сви
            свој се смо сте су та тај те то тога у уз шта што ја је један јер јесте још ће""",
        "sv": """alla att av bara blev bli blir de dem den denna dess dessa det detta dig din du där då efter ej
            eller en er ett från för ha hade han hans har hennes hon honom hur här i icke ingen inom inte jag ju kan
            kunde man med mellan men mig min mot mycket ni nu när någon något några och om oss på samma sedan sig
            sin sina sitt som så till under upp ut utan vad var vara varför vem vi vid vilka vilken vilket är över""",
        "ta": """அங்கு அதன் அதில் அது அதை அந்த அல்லது அவன் அவர் அவர்கள் அவள் ஆகிய ஆகும் ஆனால் இங்கு இதன் இதில் இது
            இதை இந்த இருந்தது இருந்து இல்லை உள்ள உள்ளது உள்ளன எங்கு எது எந்த என என்ன என்பது என்ற என்று எப்படி
            எப்போது ஏன் ஒரு ஒவ்வொரு கொண்டு தங்கள் தன் நான் நாம் நீங்கள் பல பின்னர் போது போன்ற மட்டும் மற்றும் மிக
            மீது முதல் மூலம் மேலும் யார் வரை வேண்டும்""",
        "tr": """ama ancak artık az bana bazı belki ben beni benim bile bir biri birkaç biz bize bizim bu buna bunda
            bundan bunlar bunu bunun da daha de değil diye diğer en gibi göre hangi hem hep her hiç ile ise için
            işte kadar karşı kendi kez ki kim kimse mi mu mü mı nasıl ne neden nerede nereye niçin o olan olarak
            oldu olduğu olduğunu olmak olması olsa olur ona onlar onların onu onun orada oysa pek rağmen sadece
            sanki sen siz sonra tarafından tüm ve veya ya yani yine yok zaten çok çünkü öyle şey şu""",
        "yi": """א אבער אדער אויב אויך אויף און אונדז אונטער אז איז איך אים אין איר אן ביז ביי בין ביסט גאר דא דאס
            דו דורך די דיר דעם דער דערנאך האב האבן האט וואו וואס ווי ווייל וועט וועלן ווען ווער ווערט ווערן זאל זיי
            זיין זיינען זיך זענען טאר יעדער יענע מיט מיך מיר מען מער נאך נאר ניט נישט עס ער פאר פון צו צווישן צום
            קיין קען שוין""",
    }.items()
}
