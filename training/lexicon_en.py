"""English words for the synthetic corpus, and how they inflect.

Written by hand, American spelling. Of two words that sound alike mostly the more frequent one is
listed ("meet", not "meat"), since a CTC model hears no meaning; words that espeak-ng reads in one
way only are preferred for the same reason. No digits and no hyphens.
"""

VOWELS = "aeiou"


def _words(block: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(block.split()))


# --------------------------------------------------------------------------- nouns one can count
NOUNS: dict[str, tuple[str, ...]] = {
    "person": _words("""
        man woman child boy girl baby person friend neighbor stranger mother father parent sister
        brother son daughter husband wife uncle cousin grandmother grandfather grandson nephew niece
        twin kid teenager adult citizen guest visitor tourist traveler passenger customer client
        patient student pupil classmate roommate partner colleague boss leader member player winner
        loser champion hero villain thief criminal victim witness hunter gambler beginner expert
        genius fool liar lover enemy rival king queen prince princess soldier captain pilot refugee
        immigrant native villager orphan bride widow owner buyer seller speaker listener reader
        viewer user driver runner swimmer walker climber cyclist skater teammate volunteer candidate
        voter protester supporter follower fan gentleman lady toddler bachelor ancestor sponsor
        tenant landlord newcomer companion fellow youngster millionaire dreamer prisoner pirate
        wizard giant dwarf monster ghost angel
        """),
    "profession": _words("""
        teacher doctor nurse lawyer judge farmer baker butcher cook waiter waitress barber tailor
        carpenter plumber electrician mechanic engineer architect builder painter artist singer
        dancer actor actress writer author poet editor journalist reporter photographer director
        producer musician pianist drummer guitarist composer conductor clown magician scientist
        professor librarian secretary manager accountant banker cashier clerk salesman shopkeeper
        dentist surgeon therapist pharmacist veterinarian firefighter policeman detective guard
        sailor astronaut fisherman gardener janitor cleaner maid butler chef bartender hairdresser
        programmer designer developer analyst translator interpreter lecturer tutor coach trainer
        athlete referee politician senator president minister mayor governor ambassador priest monk
        bishop preacher consultant inspector investor merchant trader broker agent assistant
        receptionist operator technician worker miner lumberjack blacksmith shepherd rancher
        lifeguard babysitter chauffeur courier postman chemist physicist biologist historian
        philosopher economist novelist sculptor jeweler potter inventor explorer spy
        """),
    "animal": _words("""
        dog cat cow pig sheep goat chicken duck rooster turkey donkey pony camel elephant lion
        tiger leopard panther wolf fox bear panda monkey gorilla chimpanzee giraffe zebra kangaroo
        koala rabbit mouse rat squirrel hamster hedgehog beaver otter badger raccoon skunk bat
        dolphin shark octopus crab lobster shrimp turtle tortoise frog lizard snake crocodile
        alligator dragon dinosaur bird eagle hawk falcon owl parrot pigeon swan robin sparrow
        penguin ostrich peacock raven seagull flamingo butterfly spider mosquito beetle worm snail
        dragonfly grasshopper cricket ladybug wasp puppy kitten lamb calf bull ox buffalo moose
        elk salmon trout tuna goldfish jellyfish starfish cheetah hyena jaguar hippo rhino walrus
        antelope reptile insect mammal creature pet stallion woodpecker caterpillar scorpion
        """),
    "food": _words("""
        apple banana lemon lime mango peach plum cherry strawberry raspberry blueberry grape melon
        watermelon pineapple coconut apricot avocado tomato potato onion carrot cucumber pepper
        pumpkin cabbage mushroom radish olive sandwich burger pizza pancake waffle muffin cookie
        biscuit cake pie donut cracker egg omelet sausage steak meatball noodle dumpling burrito
        taco salad sauce snack meal dish dessert pudding candy lollipop peanut walnut almond
        cashew hazelnut pickle bagel croissant pretzel turnip zucchini eggplant nugget cupcake
        brownie tangerine grapefruit fig papaya pomegranate vegetable chestnut
        """),
    "place": _words("""
        house apartment kitchen bedroom bathroom garage garden basement attic balcony hallway office
        school college university library museum theater cinema stadium gym hospital clinic pharmacy
        hotel hostel restaurant cafe bakery bar pub club shop store supermarket market mall bank
        station airport harbor port park playground zoo farm factory warehouse workshop studio
        laboratory church temple mosque castle palace tower bridge tunnel road street avenue highway
        crossroad square village town city suburb district prison courtroom embassy campus classroom
        dormitory cafeteria lobby elevator corridor cabin cottage mansion hut tent barn stable
        lighthouse gallery salon laundry kindergarten academy monastery cemetery fountain
        terrace courtyard neighborhood capital border territory province county kingdom empire
        battlefield shelter casino bookstore greenhouse chapel cathedral dock depot
        """),
    "object": _words("""
        table chair bed desk sofa couch bench stool shelf cupboard cabinet drawer wardrobe lamp
        candle mirror carpet rug curtain pillow blanket mattress towel basket bucket bottle cup mug
        glass plate bowl spoon fork knife pan kettle teapot jar lid tray oven stove fridge freezer
        toaster blender broom brush comb razor soap sponge hammer nail screw screwdriver drill
        ladder rope chain hook lock key handle button zipper needle thread pin clip stapler
        pen pencil eraser ruler crayon marker notebook envelope stamp folder calendar map globe
        wallet purse bag backpack suitcase box package gift toy doll puppet kite balloon ball bat
        racket puzzle card coin ticket flag umbrella telescope microscope compass clock watch alarm
        whistle bell torch lantern match lighter tent shovel rake axe sword shield helmet arrow
        rifle pistol cannon trophy medal crown ring necklace bracelet earring jewel diamond pearl
        ribbon statue vase frame poster sculpture painting anchor barrel crate cage trap bandage
        pill thermometer stethoscope syringe wheelchair crutch wheel engine pump pipe tap faucet
        sink bathtub shower toilet toothbrush napkin straw chopstick corkscrew gadget tool fan
        heater radiator furnace chimney doorbell doormat hanger hinge lever magnet battery bulb
        socket plug wire cable hose nozzle spring bolt
        """),
    "clothes": _words("""
        shirt blouse sweater jacket coat vest suit dress skirt hat cap scarf glove mitten sock shoe
        boot sandal slipper sneaker belt tie uniform costume robe apron hoodie raincoat swimsuit
        bikini turban veil gown cardigan
        """),
    "vehicle": _words("""
        car bus truck van taxi train tram bicycle bike motorcycle scooter boat ship ferry canoe
        yacht submarine airplane helicopter jet rocket spaceship tractor ambulance wagon cart
        carriage sled limousine trailer
        """),
    "technology": _words("""
        computer laptop tablet phone telephone camera printer scanner keyboard monitor screen
        speaker microphone radio television robot satellite antenna processor sensor server network
        router modem website program application database file password account message email
        browser algorithm chip circuit projector recorder headphone charger calculator drone gadget
        cursor icon menu window button link pixel virus firewall upload backup installer username
        machine device system interface platform
        """),
    "text": _words("""
        book novel letter story poem article report essay magazine newspaper dictionary textbook
        diary journal document contract recipe list note postcard script speech song paragraph
        sentence chapter page headline label invoice receipt form questionnaire manual brochure
        leaflet biography comic legend myth proverb translation summary comment review blog
        """),
    "instrument": _words("""
        piano guitar violin cello flute trumpet clarinet saxophone harp drum accordion trombone
        harmonica banjo organ keyboard
        """),
    "nature": _words("""
        tree bush plant flower leaf branch root seed forest jungle meadow field hill mountain valley
        cliff cave canyon volcano glacier river lake pond stream waterfall ocean island beach coast
        bay swamp stone rock pebble cloud storm thunderstorm hurricane tornado flood earthquake
        rainbow sunset sunrise shadow star planet moon comet asteroid galaxy universe horizon
        continent peninsula desert oasis tulip lily daisy sunflower orchid cactus oak willow palm
        vine petal thorn twig trunk acorn nest shell wave puddle snowflake snowman iceberg spark
        flame bonfire landscape season eclipse meteor crater dune prairie bamboo
        """),
    "body": _words("""
        head face ear mouth lip tongue tooth chin cheek forehead neck shoulder arm elbow wrist hand
        finger thumb chest stomach back hip leg knee ankle foot toenail fingernail brain heart lung
        liver kidney bone muscle skeleton skull rib spine beard mustache eyebrow eyelash wing beak
        paw claw feather horn hoof fist palm throat
        """),
    "event": _words("""
        meeting party wedding birthday funeral concert festival game match race contest competition
        tournament exam test lesson lecture class course conference interview appointment ceremony
        parade exhibition show play movie film holiday vacation trip journey tour picnic breakfast
        lunch dinner banquet performance rehearsal election debate trial battle revolution accident
        emergency operation celebration reunion anniversary graduation project experiment workshop
        """),
    "abstract": _words("""
        idea thought plan dream goal problem question answer solution reason result cause effect
        fact opinion belief theory rule law method system habit custom tradition culture language
        word name number letter shape circle triangle rectangle line point corner edge surface
        center top bottom side front difference similarity example model pattern detail secret
        mystery surprise joke mistake error lie promise decision choice chance opportunity risk
        danger adventure experience memory moment century decade emotion feeling fear wish hope
        doubt worry suggestion request order demand offer argument discussion conversation
        agreement conflict struggle challenge victory defeat success failure achievement ability
        talent skill job career salary business company corporation organization department
        committee team group crowd family couple generation population government nation society
        community religion ceremony president tax debt loan budget profit price discount bargain
        cost fee fine bill payment purchase product brand service advertisement campaign strategy
        policy project task duty responsibility role position title rank level grade degree
        distance length height width depth speed temperature percentage fraction average total
        amount quantity minimum maximum beginning ending middle future style fashion trend topic
        subject object purpose intention attitude personality character quality advantage benefit
        disadvantage limit obstacle barrier disease illness fever headache toothache cough injury
        wound scar operation treatment prescription vitamin allergy infection symptom crime robbery
        murder punishment accident explosion fire disaster crisis noise sound voice melody rhythm
        smell scent flavor color pleasure pattern symbol signal sign mark clue trick habit talent
        option version category element factor function feature concept process structure
        situation condition circumstance event episode scene stage period phase step attempt effort
        movement gesture expression smile kiss hug nap rest visit invitation introduction
        relationship friendship marriage divorce membership license permit certificate diploma
        scholarship award prize reward gift donation collection selection combination connection
        contribution description explanation instruction direction destination location address
        """),
}

# ------------------------------------------------------------------- nouns one cannot count
MASS_NOUNS: dict[str, tuple[str, ...]] = {
    "food": _words("""
        bread butter cheese rice pasta soup sugar salt honey jam chocolate cream yogurt bacon beef
        pork lamb ham toast garlic spinach lettuce broccoli cauliflower corn celery ginger cinnamon
        vinegar mustard ketchup mayonnaise fruit popcorn oatmeal cereal gravy tofu vanilla spaghetti
        """),
    "drink": _words("""
        water milk coffee tea juice lemonade beer wine whiskey vodka champagne cocoa soda cider
        brandy
        """),
    "material": _words("""
        gold silver copper iron aluminum plastic rubber leather cotton wool silk velvet paper
        cardboard concrete cement marble granite clay sand gravel glue paint ink oil gasoline
        petroleum charcoal timber linen nylon bronze crystal
        """),
    "nature": _words("""
        rain snow ice wind fog smoke steam thunder lightning sunshine sunlight moonlight grass mud
        dust soil dirt fire air oxygen hydrogen electricity energy gravity weather wildlife
        darkness daylight moss
        """),
    "abstract": _words("""
        love happiness sadness anger jealousy joy pride honesty courage patience kindness freedom
        justice truth beauty wisdom knowledge intelligence imagination curiosity confidence trust
        respect loyalty luck fun humor silence peace violence poverty wealth money cash health
        fitness medicine strength weakness hunger thirst sleep pain stress pressure power authority
        information advice news evidence progress research education homework training practice
        traffic transport tourism travel equipment furniture luggage clothing jewelry software
        hardware technology data music art poetry literature history geography mathematics biology
        chemistry physics economics philosophy psychology politics grammar vocabulary pronunciation
        spelling science astronomy algebra geometry architecture agriculture engineering journalism
        advertising marketing insurance unemployment employment democracy independence equality
        privacy security safety protection permission help support pollution recycling nonsense
        gossip laughter childhood adulthood youth friendship hospitality creativity motivation
        ambition determination discipline experience generosity gratitude sympathy boredom
        loneliness excitement enthusiasm disappointment confusion chaos damage garbage
        entertainment
        """),
    "sport": _words("""
        football soccer tennis basketball baseball volleyball hockey golf rugby badminton chess
        poker karate judo yoga gymnastics swimming skiing skating surfing boxing wrestling fishing
        hunting cycling jogging archery snooker cricket
        """),
}

# ------------------------------------------------- verbs; "base:past:participle" where irregular
OBJECT_VERBS: dict[str, tuple[str, ...]] = {
    "thing": _words("""
        buy:bought:bought sell:sold:sold find:found:found lose:lost:lost bring:brought:brought
        take:took:taken make:made:made break:broke:broken see:saw:seen hide:hid:hidden
        steal:stole:stolen hold:held:held choose:chose:chosen draw:drew:drawn throw:threw:thrown
        catch:caught:caught keep:kept:kept leave:left:left get:got:gotten forget:forgot:forgotten
        hit:hit:hit build:built:built carry clean wash fix repair paint push pull lift drop touch
        move use need want like love hate collect borrow return open close cover destroy damage
        check examine describe deliver pack unpack wrap store order rent design produce test replace
        notice remove place press kick grab burn measure share receive accept count inspect own
        recognize select
        """),
    "food": _words("""
        eat:ate:eaten cook bake fry boil roast taste serve chew swallow peel chop slice mix grill
        digest smell order enjoy prepare freeze:froze:frozen buy:bought:bought
        """),
    "drink": _words("drink:drank:drunk pour sip order spill boil taste bring:brought:brought"),
    "person": _words("""
        meet:met:met see:saw:seen know:knew:known teach:taught:taught tell:told:told
        forgive:forgave:forgiven understand:understood:understood help call thank invite visit
        marry kiss hug greet follow trust admire respect love hate miss remember recognize blame
        accuse punish arrest rescue save protect support encourage advise warn annoy surprise scare
        frighten embarrass disappoint impress inspire entertain amuse interrupt ignore insult attack
        defeat hire employ fire interview introduce welcome join watch hear:heard:heard
        convince persuade contact obey treat cure
        """),
    "place": _words("""
        visit enter leave:left:left find:found:found build:built:built reach cross explore clean
        decorate photograph describe surround design paint renovate inspect abandon own destroy
        """),
    "animal": _words("""
        feed:fed:fed see:saw:seen catch:caught:caught hear:heard:heard hunt chase train rescue pet
        watch wash raise photograph adopt observe fear find:found:found tame
        """),
    "clothes": _words("""
        wear:wore:worn buy:bought:bought wash iron fold mend choose:chose:chosen borrow need like
        design button sew:sewed:sewn lend:lent:lent
        """),
    "vehicle": _words("""
        drive:drove:driven buy:bought:bought park repair rent wash stop start sell:sold:sold
        ride:rode:ridden steer crash board load
        """),
    "text": _words("""
        read:read:read write:wrote:written publish print edit translate copy finish study sign
        memorize review send:sent:sent begin:began:begun quote discuss mention
        """),
    "technology": _words("""
        use invent install test develop connect repair upgrade order update control activate
        buy:bought:bought operate choose:chose:chosen
        """),
    "instrument": _words("play practice tune hear:heard:heard buy:bought:bought"),
    "event": _words("""
        attend plan organize enjoy cancel celebrate postpone miss begin:began:begun
        win:won:won lose:lost:lost watch remember arrange finish delay
        """),
    "abstract": _words("""
        understand:understood:understood explain discuss solve change accept reject improve
        compare describe consider mention support discover create ignore avoid suggest imagine
        remember forget:forgot:forgotten study analyze influence develop question
        admit face repeat achieve learn choose:chose:chosen prove examine predict
        investigate evaluate expect observe identify define confirm
        """),
}
THING_VERB_CATEGORIES = ("object", "clothes", "vehicle", "technology", "instrument", "object")
GIVING_VERBS = _words("""
    give:gave:given send:sent:sent show:showed:shown offer lend:lent:lent hand buy:bought:bought
    bring:brought:brought sell:sold:sold promise
    """)
PERSON_VERBS = _words("""
    sleep:slept:slept sing:sang:sung speak:spoke:spoken think:thought:thought stand:stood:stood
    sit:sat:sat fall:fell:fallen win:won:won dream wait laugh cry smile talk work rest relax study
    dance shout whisper yell scream listen argue complain agree cough sneeze snore yawn breathe
    sweat shiver tremble suffer recover succeed fail exercise practice cheat gamble smoke retire
    graduate vote protest pray apologize hesitate giggle wonder worry faint blush frown nod
    mumble stutter concentrate cooperate compete participate celebrate arrive depart disappear
    appear stay live vanish struggle survive lie:lay:lain weep:wept:wept kneel:knelt:knelt
    """)
ANIMAL_VERBS = _words("""
    sleep:slept:slept eat:ate:eaten bark bite:bit:bitten hide:hid:hidden growl roar escape hunt
    jump howl scratch purr breathe fight:fought:fought play hiss
    """)
MOTION_VERBS = _words("""
    go:went:gone come:came:come run:ran:run drive:drove:driven fly:flew:flown ride:rode:ridden
    swim:swam:swum walk hurry rush travel return march climb crawl jog wander race sneak ski sail
    jump step slide:slid:slid hike cycle move escape
    """)
GERUND_VERBS = _words("like love hate enjoy start stop finish avoid keep:kept:kept dislike")
INFINITIVE_VERBS = _words("""
    want need try plan decide hope learn refuse forget:forgot:forgotten promise agree prefer manage
    attempt expect pretend
    """)
SAYING_VERBS = _words("""
    say:said:said think:thought:thought know:knew:known believe hope guess feel:felt:felt imagine
    claim suppose remember assume
    """)

# --------------------------------------------------------------------------------- adjectives
ADJECTIVES: dict[str, tuple[str, ...]] = {
    "color": _words("""
        red blue green yellow orange purple pink brown black white gray golden silver dark bright
        turquoise beige
        """),
    "person": _words("""
        happy sad angry tired hungry thirsty kind polite rude honest brave shy proud lazy busy smart
        clever stupid silly funny serious friendly lonely nervous calm quiet patient generous greedy
        selfish jealous curious careful careless young old tall short thin fat slim strong weak
        healthy sick blind deaf rich poor famous popular handsome pretty beautiful charming elegant
        wise foolish crazy stubborn gentle cruel loyal faithful confident modest talented skillful
        creative ambitious cheerful grumpy optimistic pessimistic sensitive reliable responsible
        independent intelligent energetic sleepy anxious excited surprised worried disappointed
        confused bored grateful guilty innocent ashamed embarrassed relaxed desperate miserable
        mature childish aggressive arrogant humble thoughtful helpful playful romantic sociable
        religious wealthy homeless unemployed single married retired pregnant bald
        """),
    "thing": _words("""
        big small large little tiny huge enormous gigantic long narrow wide broad thick heavy light
        round flat straight sharp dull smooth rough soft hard stiff flexible empty full clean dirty
        dusty wet dry old new ancient modern cheap expensive valuable precious broken wooden plastic
        metal shiny simple plain fancy ugly beautiful useful useless perfect special common rare
        ordinary strange weird familiar foreign local original portable electric automatic manual
        digital fragile solid square rusty sticky slippery loose tight
        """),
    "food": _words("""
        fresh delicious tasty sweet sour bitter salty spicy hot cold warm frozen raw ripe rotten
        juicy crispy crunchy creamy tender healthy sugary organic homemade
        """),
    "place": _words("""
        big small large quiet noisy busy crowded empty clean dirty dark bright old new modern
        ancient famous beautiful ugly lovely peaceful dangerous safe distant nearby local public
        private cozy spacious luxurious comfortable wonderful magnificent abandoned haunted tropical
        rural urban industrial historic
        """),
    "nature": _words("""
        big small deep shallow high low wild beautiful huge tiny green dark cold strong gentle
        colorful steep rocky sandy muddy frozen endless majestic distant natural
        """),
    "animal": _words("""
        big small wild tame hungry fast slow clever cute dangerous brown black white gray young old
        furry fierce playful noisy fat thin lazy harmless poisonous friendly strong
        """),
    "abstract": _words("""
        good bad great important interesting boring easy difficult simple complex complicated
        possible impossible different similar strange new old big small serious terrible awful
        horrible wonderful fantastic excellent brilliant amazing incredible ridiculous typical
        common special general particular specific real false wrong correct clear obvious secret
        final major minor recent early late sudden immediate main necessary essential
        basic practical political social national international economic financial legal illegal
        personal official formal positive negative successful effective efficient reasonable
        logical traditional permanent temporary annual frequent brief separate equal certain
        unusual significant tremendous remarkable dramatic magical mysterious painful
        """),
    "event": _words("""
        long short boring exciting interesting important wonderful terrible unforgettable
        successful small big special expensive perfect difficult final annual local
        """),
}
WEATHER = _words("sunny cloudy rainy windy foggy stormy snowy hot cold warm cool humid icy chilly")

# ------------------------------------------------------------------------------------ adverbs
MANNER_ADVERBS = _words("""
    slowly quickly quietly loudly softly carefully carelessly happily sadly angrily calmly politely
    rudely gently easily badly perfectly clearly nervously proudly bravely silently suddenly
    secretly openly honestly seriously patiently eagerly gladly gracefully smoothly safely bitterly
    cheerfully desperately gradually rapidly steadily peacefully successfully together alone well
    fast hard freely formally accidentally efficiently enthusiastically anxiously awkwardly lazily
    nicely kindly wisely foolishly instantly independently
    """)
FREQUENCY_ADVERBS = _words("""
    always usually often sometimes rarely seldom never frequently hardly really probably certainly
    definitely occasionally normally generally finally already eventually obviously apparently
    recently regularly constantly barely clearly simply
    """)
TIME_ADVERBS = _words("""
    today now again immediately afterwards early late once twice anyway everywhere somewhere
    outside inside upstairs downstairs abroad nearby indoors outdoors
    """)
SENTENCE_ADVERBS = _words("""
    unfortunately fortunately luckily maybe perhaps actually however suddenly surprisingly honestly
    basically naturally hopefully usually sometimes finally therefore otherwise besides instead
    """)
DEGREE_ADVERBS = _words("very really quite extremely rather incredibly terribly absolutely")

# -------------------------------------------------------------------------------------- names
FIRST_NAMES = _words("""
    adam alan albert alex alice amanda amy andrea andrew angela anna anthony arthur barbara ben
    benjamin betty bob brandon brian carlos carol caroline charles charlotte chris christina
    christopher clara daniel david deborah dennis diana donald dorothy edward elena elizabeth emily
    emma eric ethan eva frank fred gabriel george gloria grace hannah harold harry helen henry ian
    isabel jack jacob james jane janet jason jennifer jessica jim joan john jonathan jose joseph
    joshua julia karen kate kevin kim laura leo linda lisa louis lucas lucy maria mark martha martin
    mary matthew max melissa michael monica nancy natalie nick nicole noah nora oliver olivia oscar
    pamela patricia patrick paul peter philip rachel ralph raymond rebecca richard robert roger
    ronald rosa roy ruth sam samantha samuel sandra simon sofia sophie stella susan tania teresa
    thomas timothy tom tony victor victoria vincent virginia walter wendy william zoe
    """)
SURNAMES = _words("""
    smith johnson williams brown jones miller davis wilson anderson taylor moore jackson martin
    thompson harris lewis robinson walker king scott adams baker nelson carter mitchell roberts
    turner phillips campbell parker evans edwards collins stewart morris rogers cooper morgan
    peterson bailey kelly howard cox richardson watson brooks bennett gray hughes foster
    henderson coleman jenkins perry powell patterson washington butler simmons alexander russell
    griffin hayes hamilton graham sullivan wallace woods west jordan owens gibson murray freeman
    """)
CITIES = _words("""
    london berlin madrid rome vienna athens lisbon dublin oslo stockholm helsinki copenhagen
    amsterdam brussels prague budapest warsaw moscow istanbul cairo nairobi tokyo kyoto osaka seoul
    busan beijing shanghai bangkok hanoi singapore manila jakarta mumbai delhi sydney melbourne
    toronto montreal vancouver boston chicago houston dallas seattle denver miami atlanta
    philadelphia detroit phoenix baltimore portland orlando barcelona milan venice florence naples
    munich hamburg frankfurt zurich geneva liverpool manchester edinburgh glasgow bristol oxford
    cambridge havana lima
    """)
COUNTRIES = _words("""
    england scotland ireland germany spain italy austria portugal norway sweden finland denmark
    holland belgium poland russia turkey egypt kenya japan korea china thailand vietnam indonesia
    india pakistan australia canada america mexico brazil argentina chile peru cuba iceland israel
    jordan morocco nigeria ethiopia ukraine romania bulgaria croatia africa europe asia
    switzerland france
    """)
LANGUAGES = _words("""
    english german spanish italian portuguese norwegian swedish danish polish russian turkish
    arabic japanese korean chinese vietnamese french dutch latin hindi
    """)

# -------------------------------------------------------------------------- numbers and dates
ONES = _words("""
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen
    """)
TENS = _words("twenty thirty forty fifty sixty seventy eighty ninety")
ORDINALS = _words("""
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth
    fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth
    """)
DAYS = _words("monday tuesday wednesday thursday friday saturday sunday")
MONTHS = _words("""
    january february march april may june july august september october november december
    """)
TIME_UNITS = _words("second minute hour day week month year")
DAY_PARTS = _words("morning afternoon evening")
SEASONS = _words("spring summer autumn winter")

FUNCTION_WORDS = _words("""
    a an the this that these those my your his her our their its i you he she it we they me him us
    them who what when where why how which whose and or but because if so than then as while
    although until unless before after since of in on at to from with without for by about into
    through over under between behind beside near above below around across along against among
    during toward inside outside up down off out away back not no yes is are am was were be been
    being do does did done have has had will would can could should may might must shall don't
    doesn't didn't isn't aren't wasn't weren't won't wouldn't can't couldn't shouldn't haven't
    hasn't hadn't i'm you're he's she's it's we're they're i'll you'll he'll she'll we'll they'll
    i've you've we've they've i'd you'd let's that's there's what's where's who's mustn't some any
    every each all both many much more most few several other another same own such only also too
    very just still even there here everyone someone nobody everything something nothing anything
    else enough better best worse worst please thanks hello goodbye half quarter hundred thousand
    million clock noon midnight dollar dollars cents euro euros pound pounds past o'clock going
    mister mine yours myself yourself himself herself people ago next last everybody anybody
    """)

PHRASES: tuple[str, ...] = tuple(
    line.strip()
    for line in """
    good morning|good afternoon|good evening|good night|hello|hello everyone|how are you
    i'm fine thank you|thank you very much|thanks a lot|you're welcome|nice to meet you
    how do you do|see you later|see you tomorrow|see you soon|see you next week|goodbye
    have a nice day|have a good weekend|take care|good luck|congratulations|happy birthday
    happy new year|merry christmas|excuse me|i'm sorry|i'm so sorry|i'm sorry i'm late
    no problem|never mind|don't worry|it doesn't matter|that's all right|of course|why not
    i don't know|i don't understand|i have no idea|i think so|i don't think so|i hope so
    i'm not sure|that's a good idea|that sounds great|that's not fair|that's impossible
    could you say that again please|could you speak more slowly please|what does this word mean
    how do you spell your name|what's your name|my name is anna|where are you from
    where do you live|how old are you|what do you do for a living|what time is it
    what day is it today|what's the weather like today|how much is it|how much does it cost
    i would like a cup of coffee|i would like a glass of water|can i have the menu please
    can i have the bill please|can i help you|can you help me|could you help me please
    where is the bathroom|where is the nearest station|how do i get to the airport
    turn left at the corner|turn right at the traffic light|go straight ahead|it's over there
    i'm lost|i'm hungry|i'm thirsty|i'm tired|i'm cold|i have a headache|i feel sick
    call an ambulance|call the police|help me|be careful|watch out|hurry up|slow down
    wait a minute|just a moment please|come in|come here|sit down please|stand up|let's go
    let me see|let me think about it|leave me alone|be quiet please|listen to me|look at this
    what happened|what's wrong|what's the matter|are you okay|are you ready|are you sure
    is everything all right|what are you doing|what do you think|what do you want
    who is it|who is that|where have you been|when will you be back|i'll be right back
    i'll call you later|i'll be there in five minutes|i can't believe it|i can't hear you
    i miss you|i love you|i love it|i agree with you|i changed my mind|it's up to you
    it's getting late|it's time to go|it's raining|it's snowing|long time no see
    make yourself at home|help yourself|enjoy your meal|cheers|bless you|keep in touch
    give me a call|can you hear me|please turn off the light|please open the window
    please close the door|turn on the radio|turn up the volume|turn down the music
    set the alarm for seven|play some music|stop|stop it|next song please|what's the news today
    remind me to call my mother|send a message to my brother|do you speak english
    i speak a little english|how was your day|how was your weekend|it was great|not bad
    so far so good|better late than never|practice makes perfect|time is money|once upon a time
    the end|to be honest|by the way|as soon as possible|in my opinion|for example
    first of all|on the other hand|at the end of the day|all of a sudden|more or less
    one way or another|as far as i know|sooner or later|thank you for your help
    thank you for calling|please hold the line|the number you have called is not available
    please leave a message after the tone|a table for two please|two coffees please
    anything else|that's all thank you|keep the change|do you accept credit cards
    i'm just looking|can i try it on|it's too expensive|have a seat please|after you
    mind the gap|the train is late|the doors are closing|please fasten your seat belt
    welcome to our home|welcome back|it's a long story|you can do it|i'm proud of you
    i did my best|try again|one more time please|are you kidding|you must be joking
    it's none of your business|it's my fault|it's not your fault|who cares|what a pity
    what a beautiful day|what a surprise|how wonderful|how nice of you|i'm glad to hear that
    """.replace("\n", "|").split("|")
    if line.strip()
)

# -------------------------------------------------------------------------- sentence patterns
# [a|b] takes one side; {slot:category} is filled by the method of that name of text_en.Grammar.
# The number is the share among the patterns.
PATTERNS: tuple[tuple[float, str], ...] = (
    # whole clauses, in every tense
    (36, "{clause}"),
    (14, "{question}"),
    (4, "{adv:sentence} {clause}"),
    (5, "{clause} [and|but|because|when|if|so|while|before|after|until|although] {clause}"),
    (5, "{thinks} {clause}"),
    (2, "if {present} {subject} will {vb:any}"),
    (1, "if i were [you|him|her] i would {vb:any}"),
    (1, "{np:person} who {vs:any} {be} {adj:person}"),
    (1, "{the:person} who {ved:any} {be} [my|our|his|her] {n:person}"),
    (1, "the {n:object} that {subject} {bare:thing} is {adj:thing}"),
    (1, "{subject} {ved:any} so {subject} {ved:any}"),
    # requests
    (4, "[please|please|could you|can you|don't|you should|let's|you must|we have to] {vb:any}"),
    (1, "would you like to {vb:any}"),
    (2, "{vb:any} [please|{adv:manner}|{adv:time}]"),
    (1, "[can|may|could] i have {some:food} please"),
    (1, "[i would like|i'd like|we need|give me|i'll have] {some:food} and {some:food}"),
    (1, "[i would like|i'd like|we need|give me] a [glass|bottle|cup] of {m:drink} please"),
    (1, "would you like [some|more] {m:drink}[| with your {n:food}]"),
    (2, "do you have {some:any}"),
    (1, "show me the way to the {n:place}"),
    # being
    (5, "{det} {noun_is:any}"),
    (3, "{np:thing} {be} {deg} {adj:thing}"),
    (2, "{np:place} {be} [{deg} |]{adj:place}"),
    (2, "{subject_is} [{deg} |]{adj:person}"),
    (2, "{subject_is} {a:profession}"),
    (1, "{m:food} [is|was|tastes] {adj:food}"),
    (1, "{det} {noun_is:food}"),
    (1, "{det} {noun_is:animal}"),
    (1, "{det} {noun_is:nature}"),
    (2, "{m:abstract} [is|was|can be] [{deg} |]{adj:abstract}"),
    (1, "{m:abstract} is more important than {m:abstract}"),
    (1, "{m:abstract} and {m:abstract} are {adj:abstract}"),
    (1, "{np:event} {be} {adj:event}"),
    (2, "[this|that|it] [is|was|isn't|wasn't] {a:any}"),
    (1, "[these|those] are {det} {ns:any}"),
    (2, "[is this|is that|isn't that|was it] {a:any}"),
    (2, "there [is|was|isn't] {a:any} {in_place}"),
    (2, "there [are|were] [many|some|no|a lot of|{number}] {pl:any} {in_place}"),
    (1, "the {n:object} is made of {m:material}"),
    (1, "{m:material} is used to make {ns:thing}"),
    (1, "[where is|where's|here is|look at|what about|i need|i want] {np:any}"),
    (1, "where are {det} {ns:any}"),
    (2, "whose {n:thing} is [this|that]"),
    (1, "which {n:thing} do you [like|want|need|prefer]"),
    (2, "what is the {n:abstract} of {the:any}"),
    (1, "what {a:any}"),
    (1, "what color is your {n:thing}"),
    (1, "{det} {n:thing} is {adj:color}"),
    (1, "my {n:body} hurts"),
    (1, "{det} {ns:body} [hurt|are {adj:thing}]"),
    (1, "{subject} broke [my|his|her] {n:body} {in_place}"),
    # comparing and listing
    (2, "{np:thing} is {er:thing} than {np:thing}"),
    (1, "{name} is {er:person} than {name}"),
    (1, "{the:place} is {er:place} than {the:place}"),
    (1, "{np:animal} is {er:animal} than {np:animal}"),
    (1, "this is the {est:thing} {n:thing} in the {n:place}"),
    (1, "this is the {est:abstract} {n:abstract} of all"),
    (1, "{name} is the {est:person} {n:person} i know"),
    (1, "{np:thing} is as {adj:thing} as {np:thing}"),
    (1, "{ns:any} {ns:any} and {ns:any}"),
    (1, "{n:any} [and|or] {n:any}"),
    (1, "{pl:any} and {pl:any}"),
    (1, "i bought {some:food} {some:food} and {some:food}"),
    (1, "[i|we|they|you] prefer {m:any} to {m:any}"),
    (1, "both {m:abstract} and {m:abstract}"),
    (1, "we talked about {m:abstract} and {the:abstract}"),
    (1, "{np:abstract} of {the:abstract} is {adj:abstract}"),
    (1, "i'm interested in {m:any}"),
    (1, "{name} [plays|likes|is good at|watches|teaches] {m:sport}"),
    (1, "the {n:person} with the {adj:color} {n:clothes}"),
    (1, "{a:person} with {pl:body}"),
    # names, places, dates, numbers
    (2, "[my name is|this is|i'm|i met|have you seen|where is] {name}[| {surname}]"),
    (1, "[mister|doctor|professor|miss] {surname} [is here|lives in {city}|called again]"),
    (1, "[i'm|he is|she is|we are|they are] from {city}"),
    (1, "{name} [comes from|lives in|works in|was born in|moved to] {country}"),
    (1, "{name} speaks {language}[| and {language}]"),
    (1, "how do you say {n:any} in {language}"),
    (1, "how far is it from {city} to {city}"),
    (1, "the [train|flight|bus] from {city} to {city} leaves at {time}"),
    (1, "is {city} [in {country}|{er:place} than {city}]"),
    (1, "{name}'s {noun_is:any}"),
    (2, "[it's|the time is|it is now|it's almost|let's meet at|i woke up at] {time}"),
    (1, "{the:event} [starts|begins|ends|is] [at {time}|on {day}|in {month}]"),
    (1, "[today is|my birthday is on|it was] [{day} |]{month} {ordinal}"),
    (1, "in [nineteen|twenty] {two_digits}"),
    (1, "[it's|it will be|it was] {weather} [in {city}|today|on {day}|in {month}]"),
    (1, "{the:thing} [costs|cost] {price}"),
    (1, "that's {price}[| please]"),
    (1, "[my|his|her|our|the] [number|phone number|code] is {digits}"),
    (1, "{number} {ns:any}"),
    (1, "{number} [plus|minus|times] {number} is {number}"),
    (1, "{number} [percent|kilometers|meters|miles|pounds|grams|degrees]"),
    (1, "[chapter|page|room|gate|platform|question] {number}"),
    (1, "the {ordinal} {n:any}"),
    (1, "i have lived in {city} for {number} years"),
    (1, "every {day} [morning|evening|afternoon|night] {clause}"),
    (1, "[last|next] {month} {name} and {name}"),
    (1, "in [the |]{season} {clause}"),
    # phrases and single words
    (5, "{phrase}"),
    (1, "{phrase} {name}"),
    (4, "{np:any}"),
    (2, "{in_place}"),
    (2, "{vb:any}"),
    (2, "{ving:any}"),
    (2, "{deg} {adj:any}"),
    (1, "{adj:any} and {adj:any}"),
    (1, "{adv:frequency} {adj:person}"),
    (1, "{name} {surname}"),
    (1, "{er:any}"),
    (1, "{ns:any}"),
)

# Short frames that use a chosen word, by the kind of its list.
CARRIERS: dict[str, tuple[str, ...]] = {
    "noun": (
        "[this is|i see|he has|she wants] {a:C}", "[where is|what is|look at] the {n:C}",
        "[my|your|our|his|her] {n:C}", "[many|two|three|some|these] {ns:C}", "do you like {ns:C}",
        "[every|another|that] {n:C}", "{adj:abstract} {ns:C}",
    ),
    "mass": ("i like {m:C}", "[some|more|no|too much] {m:C}", "what is {m:C}", "without {m:C}"),
    "adj": (
        "[it is|it was|that's|is it] [very|so|too|not] {adj:C}", "{adj:C} or {adj:C}",
        "[how|very|so|really] {adj:C}", "the {est:C} one",
    ),
    "adv": ("[he|she] spoke {adv:C}", "{adv:C} [yes|not]", "{adv:C} and {adv:C}", "very {adv:C}"),
    "verb": (
        "[i|you|we|they] {vb:C}", "[he|she] {vs:C}", "{subject} {ved:C}", "{subject_is} {ving:C}",
        "[i|you|we|they] have {ven:C}", "[don't|please|to|can you|i will] {vb:C}",
    ),
    "name": ("[hello|ask|call|with|for] {NAME}", "{NAME} and {NAME}", "{NAME} [is here|please]"),
    "weather": ("[it's|it was|is it] [very|so|too|not] {weather}", "{weather} [days|nights]"),
}  # fmt: skip

# --------------------------------------------------------------------------------- inflection
IRREGULAR_PLURALS: dict[str, str] = {
    "man": "men", "woman": "women", "child": "children", "person": "people", "foot": "feet",
    "tooth": "teeth", "mouse": "mice", "sheep": "sheep", "fish": "fish", "ox": "oxen",
    "thief": "thieves", "wife": "wives", "wolf": "wolves", "calf": "calves", "leaf": "leaves",
    "shelf": "shelves", "knife": "knives", "scarf": "scarves", "half": "halves", "hoof": "hooves",
    "gentleman": "gentlemen", "fisherman": "fishermen", "policeman": "policemen",
    "salesman": "salesmen", "postman": "postmen", "snowman": "snowmen", "goldfish": "goldfish",
    "jellyfish": "jellyfish", "starfish": "starfish", "shrimp": "shrimp", "salmon": "salmon",
    "trout": "trout", "tuna": "tuna", "moose": "moose", "elk": "elk", "buffalo": "buffalo",
    "tomato": "tomatoes",
    "potato": "potatoes", "hero": "heroes", "mosquito": "mosquitoes", "volcano": "volcanoes",
    "cactus": "cactuses", "crisis": "crises", "oasis": "oases", "spaceship": "spaceships",
    "mango": "mangoes", "stomach": "stomachs", "monarch": "monarchs",
}  # fmt: skip
IRREGULAR_COMPARISON: dict[str, tuple[str, str]] = {
    "good": ("better", "best"),
    "bad": ("worse", "worst"),
    "shy": ("shyer", "shyest"),
}
LONG_COMPARISON = ("real", "wrong", "false", "main", "bored", "tired", "loyal", "nearby", "beige")
STRESSED_ENDINGS = ("mit", "prefer", "begin", "forget", "occur", "control", "regret")
LONG_VOWEL_SOUND_AN = ("hour", "honest", "honor", "heir")
CONSONANT_SOUND_A = ("uni", "use", "usu", "eu", "one", "once", "uten")


def _ends_in_consonant_y(word: str) -> bool:
    return word.endswith("y") and word[-2:-1] not in VOWELS


def _add_s(word: str) -> str:
    if _ends_in_consonant_y(word):
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + ("zes" if word == "quiz" else "es")
    return word + "s"


def plural(noun: str) -> str:
    """Plural of a noun: "cherry" -> "cherries"."""
    return IRREGULAR_PLURALS.get(noun) or _add_s(noun)


def third_person(verb: str) -> str:
    """Present tense after he or she: "carry" -> "carries", "go" -> "goes"."""
    return verb + "es" if verb.endswith("o") else _add_s(verb)


def syllables(word: str) -> int:
    """Vowel groups without a silent final e: near enough to tell "big" from "careful"."""
    core = word[:-1] if word.endswith("e") and not word.endswith("le") else word
    groups, previous = 0, False
    for letter in core:
        vowel = letter in "aeiouy"
        groups += vowel and not previous
        previous = vowel
    return max(groups, 1)


def _doubles(word: str) -> bool:
    """Whether the last consonant doubles before a vowel: "stop", "prefer", but not "visit"."""
    if len(word) < 3 or word[-1] in "aeiouwxy" or word[-2] not in VOWELS:
        return False
    if word[-3] in VOWELS and word[-3:-1] not in ("ui",):
        return False
    return syllables(word) == 1 or word.endswith(STRESSED_ENDINGS)


def _add_vowel_suffix(word: str, suffix: str) -> str:
    """Append "ed", "er" or "est"."""
    if word.endswith("e"):
        return word + suffix[1:]
    if _ends_in_consonant_y(word):
        return word[:-1] + "i" + suffix
    return word + (word[-1] if _doubles(word) else "") + suffix


def past(verb: str) -> str:
    """Regular past and participle: "stop" -> "stopped"."""
    return _add_vowel_suffix(verb, "ed")


def gerund(verb: str) -> str:
    """Progressive form: "make" -> "making", "lie" -> "lying"."""
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return verb[:-1] + "ing"
    return verb + (verb[-1] if _doubles(verb) else "") + "ing"


def comparison(adjective: str) -> tuple[str, str]:
    """Comparative and superlative: "happy" -> ("happier", "happiest")."""
    if adjective in IRREGULAR_COMPARISON:
        return IRREGULAR_COMPARISON[adjective]
    length = syllables(adjective)
    short = length == 1 or (length == 2 and _ends_in_consonant_y(adjective))
    if short and adjective not in LONG_COMPARISON:
        return _add_vowel_suffix(adjective, "er"), _add_vowel_suffix(adjective, "est")
    return f"more {adjective}", f"most {adjective}"


def article(word: str) -> str:
    """The indefinite article by sound: "an hour", "a university"."""
    if word.startswith(LONG_VOWEL_SOUND_AN):
        return "an"
    if word.startswith(("unim", "unin", "unint")):
        return "an"
    return "a" if word[0] not in VOWELS or word.startswith(CONSONANT_SOUND_A) else "an"


def verb_forms(entry: str) -> dict[str, str]:
    """All forms of a lexicon entry such as "see:saw:seen" or "carry"."""
    base, _, rest = entry.partition(":")
    past_form, _, participle = rest.partition(":")
    return {
        "base": base,
        "s": third_person(base),
        "ing": gerund(base),
        "past": past_form or past(base),
        "part": participle or past(base),
    }


# -------------------------------------------------------------- the lists by name
def verb_lists() -> dict[str, tuple[str, ...]]:
    """Verb entries by the phrase that they head; "somebody" are those that take a person."""
    lists = {**OBJECT_VERBS, "somebody": OBJECT_VERBS["person"]}
    return lists | {
        "person": PERSON_VERBS,
        "motion": MOTION_VERBS,
        "giving": GIVING_VERBS,
        "gerund": GERUND_VERBS,
        "infinitive": INFINITIVE_VERBS,
        "saying": SAYING_VERBS,
        "creature": ANIMAL_VERBS,
    }


def word_lists() -> dict[str, tuple[str, ...]]:
    """The whole lexicon as flat lists named kind.category."""
    lists = {f"noun.{name}": words for name, words in NOUNS.items()}
    lists |= {f"mass.{name}": words for name, words in MASS_NOUNS.items()}
    lists |= {f"verb.{name}": words for name, words in verb_lists().items()}
    lists |= {f"adj.{name}": words for name, words in ADJECTIVES.items()}
    return lists | {
        "weather": WEATHER,
        "adv.manner": MANNER_ADVERBS,
        "adv.frequency": FREQUENCY_ADVERBS,
        "adv.time": TIME_ADVERBS,
        "adv.sentence": SENTENCE_ADVERBS,
        "adv.degree": DEGREE_ADVERBS,
        "name.name": FIRST_NAMES,
        "name.surname": SURNAMES,
        "name.city": CITIES,
        "name.country": COUNTRIES,
        "name.language": LANGUAGES,
    }


def word_forms(kind: str, entry: str) -> set[str]:
    """Every form in which an entry of a list can stand in a text."""
    if kind == "noun":
        return {entry, plural(entry)}
    if kind == "verb":
        return set(verb_forms(entry).values())
    if kind == "adj":
        return {entry, *(form.split()[-1] for form in comparison(entry))}
    return {entry}


def number_words(number: int) -> str:
    """A number up to 9,999 as it is spoken, without hyphens."""
    if number < 20:
        return ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return TENS[tens - 2] + (f" {ONES[ones]}" if ones else "")
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    head, rest = divmod(number, size)
    return f"{ONES[head]} {name}" + (f" {number_words(rest)}" if rest else "")
