"""English comments under videos: slang, half sentences, emoji. Some feeling words are those of the formal dialogue,
most are not, and some lines fit two emotions. The bands, teams and games are invented."""

RULES = """
= anger
6* {lead?} {about?} {anger.slang} {anger.tail?}
2* {anger.scene} {anger.slang} {anger.tail?}
4* {anger.scene} {anger.tail?}
4* {lead?} {about?} {anger.known} {anger.tail?}
1* {anger.known} {anger.slang} {anger.tail?}
2* {anger.mock}
3* {shock} {anger.tail?}
2* {neutral.scene} {anger.tail}
= anger.slang
pisses me off
[im|lowkey] pissed
this aint it
what a joke
total clown show
[what|absolute] clowns
smh
making my blood boil
im seething
im so done
[such a|straight up] cash grab
milking us dry
wtf is this
[hot|flaming] garbage
trash
mid af
L take
massive L
ratio
the audacity
get in the bin
nah screw this
screw them
rigged
[utter|pure] bs
scam
gtfo
cope harder
tilted
unsubbed
= anger.known
so annoying
im so angry rn
this makes me angry
furious
unacceptable
outrageous
so rude
unfair
frustrating
say sorry first
take some responsibility
= anger.scene
if thats your {thing} just quit
another ad [really|again]
who approved this {thing}
{who} only talks never listens
people paid for this
why are you deleting comments
still no answer from {who}
how many times now
fire whoever did the {thing}
{who} thinks we are stupid
not even trying with the {thing}
gave them one job
= anger.mock
wow [great|amazing] job {who} [lol|👏👏|]
{who} really did that huh [lol|🙃|]
is this {thing} your best [lmao|lol|]
so [happy|proud] i wasted money on this {thing} [lol|🙃]
congrats {who} on ruining it lol
= anger.tail: 😡, 🤬, 💢, 👎, 🤦, 🙄, 🤡, lol, fr, bruh, ffs, !!, 💀

= sadness
6* {lead?} {about?} {sadness.slang} {sadness.tail?}
2* {sadness.scene} {sadness.slang} {sadness.tail?}
4* {sadness.scene} {sadness.tail?}
4* {lead?} {about?} {sadness.known} {sadness.tail?}
1* {sadness.known} {sadness.slang} {sadness.tail?}
3* {shock} {sadness.tail?}
2* {neutral.scene} {sadness.tail}
= sadness.slang
im not ok
im bawling
ugly sobbing rn
sobbing
right in the feels
my heart cant
big oof
in shambles
im gutted
gutted
broke me
wrecked me
who is cutting onions
onions everywhere
hits different [now|at 3am]
[got|have] a lump in my throat
teary af
im not built for this
pain
just pain
feels bad man
rip my sleep
took the wind out of me
lost for real
bummed out
in my feels
mood is gone
cant let go
= sadness.known
so sad
this makes me sad
im crying
cant stop crying
heartbreaking
depressing
feeling down
so lonely
i miss this
miss {who} so much
tears
= sadness.scene
cant believe its the last one
so we never see {who} again
what do i watch after this {thing}
those days are not coming back
remember last years {thing}
never hearing that voice again
everyone left but me
{who} walking away at the end
where did all the old commenters go
the friend i watched this {thing} with is gone
{who} retiring
waited so long for this {thing}
ten years of this
listening alone at night
= sadness.tail: 😢, 😭, 💔, 🥲, :(, ..., 😞, :'(, man, 🥺, sigh

= happiness
6* {lead?} {about?} {happiness.slang} {happiness.tail?}
2* {happiness.scene} {happiness.slang} {happiness.tail?}
4* {happiness.scene} {happiness.tail?}
4* {lead?} {about?} {happiness.known} {happiness.tail?}
1* {happiness.known} {happiness.slang} {happiness.tail?}
3* {shock} {happiness.tail?}
2* {neutral.scene} {happiness.tail}
= happiness.slang
slaps
this slaps
absolute banger
banger
goated
the goat fr
straight fire
lit
ate and left no crumbs
ate that
living for this
obsessed
im deceased
chefs kiss
goosebumps
chills
W
huge W
no notes
on repeat
mint
bussin
a whole vibe
vibing
we stan
stan forever
sheesh
lets goooo
made my day
serotonin
peak
hooked
certified classic
ear candy
= happiness.known
so happy
this makes me happy
i love it
love {who}
wonderful
thank you {who}
so excited
so proud of {who}
enjoyed this
glad i clicked
beautiful
= happiness.scene
on my way to work with this every day
lost count of the replays
{who} leveled up this {thing}
where would we be without {who}
burned my dinner watching this {thing}
long day gone in a minute
{who} was born for this
another {thing} please
third time watching this {thing}
that smile from {who}
keep this duo forever
worth the wait for this {thing}
mom is watching too
{who} uploaded again
take my money
= happiness.tail: 😍, 🥰, 👍, 🔥, ❤️, 😆, 👏, lol, haha, 😭, 🙌, <3, !!, 💀

= neutral
6* {neutral.scene} {neutral.tail?}
4* {neutral.ask}
2* {stamp} {neutral.scene}
1* {neutral.idle}
1* {neutral.ask} {neutral.scene}
= neutral.scene
they did this {thing} [3 years ago|last year|last month] too
the {thing} was filmed in [leeds|oslo|lisbon|austin]
next {thing} is on [friday|saturday|sunday|the 8th]
{who} is from [cardiff|porto|denver] i think
{who} has done this for [3|5|7|10] years
the interview with {who} went up [yesterday|last week|on monday]
the {thing} passed [10k|100k|a million] views
turn on captions for the {thing}
algorithm brought me here
came here after [exams|work|night shift]
set it to 1.25 speed
the one next to {who} is the manager
{stamp} is that scene
full {thing} is on the main channel
reupload
the edit of the {thing} is [2|5|10] minutes long
the order of the {thing} is in the description
part two of the {thing} is up
= neutral.ask
whats the name of the {thing}
anyone know what plays at {stamp}
where is that jacket of {who} from
when is the {thing} out
where can i see the {thing}
how long is the {thing}
what is {who} doing next
are there subtitles for the {thing}
is the {thing} archived somewhere
who is next to {who}
who does the subtitles
what camera is that
= neutral.idle: first, second, early, here, passing by, bookmark, saved, notif squad
= neutral.tail: btw, fyi, i think, ., lol, iirc, tho, maybe

= shock
is this even real
i have no words
this is insane
insane {who}
what just happened to the {thing}
staring at the wall after this {thing}
{who} is not human
omg {who}
paused at {stamp}
im dead
= lead: ngl, bro, honestly, ok but, tbh, dude, man, fr, idk but, guys, literally, yo, nah, oh
= about: this {thing}, {who}, {stamp}, the {thing}, after the {thing}, because of {who}, todays {thing}, {who} again
= stamp: 0:42, 1:07, 1:58, 2:23, 3:12, 4:45, 5:30, 7:19, 8:02, 10:11
= thing: {music.thing}
= who: {music.who}
= music.thing: single, live set, music video, fancam, concert, album, singalong, encore, comeback stage
= music.thing: choreo video
= music.who: moonhalo, the singer, the drummer, the bassist, the leader, our girls
= ball.thing: match, ninth inning, season opener, double play, home run clip, doubleheader, allstar game
= ball.thing: highlight reel, away game
= ball.who: the whales, coach, the pitcher, our cleanup, the catcher, the umpire, the shortstop
= food.thing: mukbang, ramen episode, recipe, hotpot episode, food tour, menu review, camping episode, vlog
= food.who: big joe, the owner, grandma, the editor, the intern
= game.thing: update, patch, hero reveal, boss fight, raid, season 3, final, story part, collab stream
= game.who: the devs, our healer, the guild, the streamer, our tank, the mods
= drama.thing: ending, fifth episode, finale, trailer, kiss scene, last scene, plot twist, second season, making of
= drama.who: the lead, the writer, second lead, the director, the kid actor

= event.thing: cancellation, refund, announcement, apology post, presale, ticket price, statement, seating, tour
= event.who: the promoter, the agency, moonhalo, the ticket site, the ceo, our girls
= event.anger
4* {anger}
cancelled one day before {anger.slang} {anger.tail?}
who pays for my train and hotel {anger.tail?}
refund minus the fees {anger.slang} {anger.tail?}
copy paste {event.thing} {anger.tail?}
boycott time {anger.tail?}
= event.sadness
4* {sadness}
took days off and now its cancelled {sadness.tail}
read the {event.thing} and {sadness.slang} {sadness.tail?}
the girls did nothing wrong {sadness.tail}
it was my first concert {sadness.slang}
= event.happiness
4* {happiness}
still waiting for them until the end {happiness.tail?}
cheering for our girls no matter what {happiness.tail?}
= event.neutral
4* {neutral}
refund form closes on [friday|the 15th|sunday]
number of the ticket site is in the announcement
no new date yet
how many percent is the refund

= flood: check the link in my profile, free coupons on my profile, sub for sub anyone, message me for a side job
"""
