"""English original data: polite dialogue about one's day, in full sentences, each with its cause and its feeling."""

RULES = """
= anger
6* {place?} {anger.feel} because {anger.cause}.
3* {anger.feel}. {anger.because}
2* {anger.feel} because {anger.cause}. {anger.wish}
2* Since {anger.cause}, {anger.lower}.
4* [Honestly, |Well, |]{anger.short}
3* {anger.said} {anger.short?}
2* {anger.said} {anger.wish}
= anger.cause
my {elder} took the credit for my {work}
my {elder} scolded me in front of everyone
my {elder} refused to listen to my opinion
my {peer} broke [a promise again|his promise for the third time|our agreement without a word]
my {peer} took my {object} without asking
my {peer} has been spreading rumours about me
my {peer} blamed me for a mistake of [his own|her own]
the {shop} refused to refund my {object}
the {shop} sent a faulty {object} and denied any responsibility
the clerk at the {shop} was [rude|dismissive] to me
the neighbours play the {noise} every night
somebody pushed in front of us and did not apologise
the {peer} who borrowed my {object} no longer answers
they changed the rules and held us responsible
= anger.feel
I am {very} angry
I was {very} angry
I am so angry that [I cannot sleep|my hands are shaking]
I feel {very} annoyed
I was {very} irritated
I am {very} frustrated
I am furious
I feel {very} offended
It is outrageous, and I am {very} upset with them
I find it unacceptable
I was treated unfairly and I resent it
I feel betrayed and angry
= anger.short
it is {very} annoying.
this makes me angry.
I am {very} angry right now.
that is unacceptable.
that is {very} rude.
it is {very} unfair.
it is {very} frustrating.
it is outrageous.
I am furious.
= anger.said
Who takes the responsibility?
You should say sorry first.
People paid for this.
When will you answer us?
How many times has it been now?
He only talks and never listens.
Do they think we are stupid?
Why did you delete it without a word?
Who approved this?
They did not even try.
If that is your best, please quit.
= anger.lower: I am furious, I have been angry all day, I feel nothing but anger, I am thoroughly annoyed
= anger.because
How could my {elder} do such a thing?
I did not expect that of my {peer}.
I cannot understand the attitude of the {shop}.
Why does nobody take responsibility?
= anger.wish
I will demand an apology.
I will not let this pass.
I shall file a complaint.
I do not wish to deal with them again.

= sadness
6* {place?} {sadness.feel} because {sadness.cause}.
3* {sadness.feel}. {sadness.because}
2* {sadness.feel} because {sadness.cause}. {sadness.wish}
2* Since {sadness.cause}, {sadness.lower}.
4* [Honestly, |These days |]{sadness.short}
3* {sadness.said} {sadness.short?}
2* {sadness.said} {sadness.wish}
= sadness.cause
our old {pet} passed away
my {family} is [very ill|in hospital]
I have not seen my {family} for [a year|two years|months]
my {peer} and I have parted
my {peer} is moving far away
I failed the {exam} [again|by one point]
the {exam} went badly although I had prepared well
my {peer}s went on a trip without me
nobody remembered my birthday
I must leave my {place.home}
I lost my position at the company
I eat dinner alone most evenings
I found a photograph of my late {family}
all my effort came to nothing
= sadness.feel
I am {very} sad
I feel {very} sad
I am so sad that I cannot stop crying
Tears keep coming to my eyes
I feel {very} depressed
I have been feeling down
I am {very} lonely
I feel {very} lonely and empty
My heart aches
It is {very} heartbreaking
I am {very} disappointed in myself
I miss those days dearly
I feel hopeless
= sadness.short
it is {very} sad.
this makes me sad.
I am crying.
I cannot stop crying.
it is {very} heartbreaking.
it is {very} depressing.
I have been feeling down.
I am {very} lonely.
I miss this.
I miss you so much.
there were tears in my eyes.
= sadness.said
I cannot believe it was the last one.
So we will never see her again.
Those days are not coming back.
I remember last year's summer.
I will never hear that voice again.
Everyone left but me.
The friend I used to go with is gone.
He walked away alone at the end.
I waited so long for this.
I was listening to it alone at night.
= sadness.lower: I have felt empty, I cannot help crying, my heart has been heavy, I am sad every evening
= sadness.because
I keep thinking of my {family}.
There is nobody by my side any more.
Everyone seems to be ahead of me.
I cannot go back to that time.
= sadness.wish
Will it pass with time?
I would like to talk to somebody.
I would rather be alone for a while.
I wish I had been kinder.

= happiness
6* {place?} {happiness.feel} because {happiness.cause}.
3* {happiness.feel}. {happiness.because}
2* {happiness.feel} because {happiness.cause}. {happiness.wish}
2* Since {happiness.cause}, {happiness.lower}.
4* [Honestly, |Oh, |]{happiness.short}
3* {happiness.said} {happiness.short?}
2* {happiness.said} {happiness.wish}
= happiness.cause
I [finally|at last] passed the {exam}
my {elder} praised my {work}
my {family} sent me [a present|a letter|warm wishes]
my {peer} threw a surprise party for me
I met my {peer} after a long time
I am going on a trip with my {peer} next week
we welcomed a {pet} into our home
I received the {object} that I had wanted
my sister is getting married
the baby called my name for the first time
everybody enjoyed the meal that I cooked
the medical examination went well
I had a seat in the front row at the concert
I was given a long holiday
= happiness.feel
I am {very} happy
I am so happy that [I cannot sleep|I could sing]
I feel {very} glad
I am {very} pleased
I am delighted
I enjoyed the day {very} much
I am {very} excited
I feel {very} grateful
I was {very} moved
I am {very} proud
It was wonderful
I love it
I feel {very} satisfied
= happiness.short
I am {very} happy.
this makes me happy.
I love it!
I love you all.
it is wonderful.
thank you so much!
I am {very} excited.
I am so proud of you.
I enjoyed this {very} much.
I am glad that I came.
it is beautiful.
= happiness.said
It was worth the wait.
A long day was gone in a minute.
I lost count of how often I saw it.
I listen to it on my way to work.
What a smile!
Another one, please!
Where would we be without you?
My mother was watching too.
She was born for this.
I will keep cheering for you.
= happiness.lower: I have been happy all day, I cannot stop smiling, I feel wonderful, I am full of joy
= happiness.because
I told my {family} first.
It is the best news this year.
Everyone congratulated us.
The hard work was worth it.
= happiness.wish
I wish every day were like this.
I will remember it for a long time.
I will certainly return the kindness.
I hope that we can do it again.

= neutral
4* {neutral.plan} {neutral.more?}
3* {neutral.ask}
3* {neutral.fact} {neutral.more?}
5* {neutral.said}
= neutral.plan
There will be a {meeting} in the {place.work} {time}.
I am going to submit the {work} {time}.
I am to meet my {peer} at the {place.work} {time}.
Registration for the {exam} begins {time}.
I plan to clean my {place.home} this weekend.
I will collect the {object} {time}.
= neutral.ask
At what time does the {meeting} begin?
Where can one buy a {object}?
How long does it take to the {place.work} [by bus|by train|on foot]?
To whom should I send the {work}?
Are you available {time}?
What should I bring to the {exam}?
When should I give the {work} to my {elder}?
= neutral.fact
The {shop} is next to the {place.work}.
I usually arrive at the {place.work} {time}.
The {object} costs [twenty|thirty|fifty] pounds.
My {elder} is in the {place.work} at present.
This bus stops at the {place.work}.
My {elder} holds the {meeting} {time}.
My {peer} is writing the {work} in the {place.work}.
The {object} is on the shelf in the {place.work}.
Today it is [cloudy|rainy in the afternoon|clear] with some wind.
= neutral.said
What is the name of it?
The next one is on [Friday|Sunday|Monday].
It was filmed in [Leeds|Oslo|Lisbon].
She is from [Cardiff|Porto|Denver], I think.
It starts at [eight|noon|three o'clock].
You can turn on captions in the settings.
The order is in the description.
Who is that next to the {elder}?
When is the next date?
Where can I see it?
They did it last year too.
Where is that coat from?
I came here after work.
Yes, [I saved it|I have a copy|I was passing by].
The form closes on [Friday|the 15th|Sunday].
The number is in the announcement.
The short version is [five|ten] minutes long.
How many people are here now?
= neutral.more
Details are in the notice.
I will let you know if it changes.
Please confirm.
For your information.

= very: very, really, truly, quite, so, extremely, deeply, rather
= place: Today, Yesterday, This morning, Last week, At work, At school, At home, These days, Honestly
= place.work: meeting room, library, main hall, office, laboratory, canteen, town hall
= place.home: home town, neighbourhood, old flat, small house, dormitory
= elder: manager, director, team leader, professor, supervisor, landlord
= peer: friend, colleague, brother, flatmate, cousin, classmate, partner
= family: grandmother, grandfather, mother, father, aunt
= pet: dog, cat, parrot, rabbit
= object: umbrella, laptop, book, bicycle, coat, camera, watch, bag, chair, refrigerator
= shop: store, department store, bookshop, furniture shop, travel agency, repair shop
= work: report, presentation, proposal, assignment, design, translation, thesis
= exam: licence test, job interview, driving test, entrance examination, language test
= meeting: meeting, briefing, lecture, training session, review
= noise: drums, piano, trumpet, radio
= time: tomorrow afternoon, on Monday, at the end of the month, this evening, at ten o'clock, at three o'clock
"""
