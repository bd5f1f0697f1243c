"""What the English stand-in LLM was raised on: diary lines, product reviews and messages between friends. Its sentences
are none of the comments', and of their slang it has met some words only, so that it guesses at the rest."""

RULES = """
= anger
3* {when?} {anger.what}. {anger.word}. {after?}
2* [One star.|★☆☆☆☆|Review:|In short:] {goods} {anger.flaw}. {anger.word} {anger.mark?}
1* {goods} {anger.flaw} {anger.mark?}
6* {call?} {anger.word} {anger.mark?}
4* {whose} {matter} {so?} {anger.word} {anger.mark?}
3* {whose} {matter} {so?} {anger.remark} {anger.mark?}
2* {anger.remark} {anger.word} {anger.mark?}
2* {neutral.chat} {anger.mark}
= anger.what
the bus driver went past me
my boss gave me work at five to six
the delivery was two hours late
my brother broke my charger
noise from upstairs all night
someone parked across my drive
customer service never picked up
i did the whole group project alone
they moved my appointment without asking
he kept cutting me off
= anger.flaw
broke on day one and they will not refund
looks nothing like the picture
tore in the first wash
never got an answer to my mail
made me pay for the return
was clearly used before
= anger.word
I was [so|really|very|] angry
i am angry
[so|really] annoying
this makes me angry
annoyed all evening
furious
unacceptable
that is unfair
frustrating
so frustrated
how rude
I was pissed
it pissed me off
what a joke
a scam
it is trash
garbage
smh
my blood was boiling
i am done with them
outrageous
screw that
this is bs
wtf
a total cash grab
rigged if you ask me
nobody said sorry
they take no responsibility
what clowns
the audacity
this aint right
straight in the bin
they never listen
such a waste of money
im seething
mid at best
a massive l
get out
= anger.remark
nobody picks up
who does that
twice in one week
they kept my money
why is it always me
he did not even look at it
that was his one task
= anger.mark: 😡, !!, 👎, ugh, 🙄, 🤬, 🤦, ffs

= sadness
3* {when?} {sadness.what}. {sadness.word}. {after?}
2* {sadness.what} {sadness.mark}
1* [Review:|In short:] this {art}. {sadness.word} {sadness.mark?}
6* {call?} {sadness.word} {sadness.mark?}
4* {whose} {matter} {so?} {sadness.word} {sadness.mark?}
3* {whose} {matter} {so?} {sadness.remark} {sadness.mark?}
2* {sadness.remark} {sadness.word} {sadness.mark?}
2* {neutral.chat} {sadness.mark}
= sadness.what
heard the tape with my grandmothers voice
our corner cafe closed its doors
my friend moved abroad
the plant i raised dried up
got the rejection mail
looked at the graduation pictures
nobody knew it was my birthday
came back to an empty room
a hundred days since we split
my first love is getting married
= sadness.word
[so|really|very] sad
it made me sad
I cried
I was crying
cannot stop crying
heartbreaking
so depressing
feeling down
lonely
I miss it
I miss her
i miss you so much
tears
my heart hurts
sobbing
i was bawling
gutted
it broke me
i am not ok
pain
bummed out
in my feels
got teary
lost without you
heart broken
lump in my throat
ugly sobbing
right in the heart
in shambles
cant believe she left
so long ago now
someone is cutting onions
it wrecked me
big oof
feels bad
= sadness.remark
she is not coming back
that was the last time
everybody went home
just me and the tv
failed it again
i waited and nobody came
thinking of old times
= sadness.mark: 😢, 😭, :(, ..., 💔, sigh, 🥺

= happiness
3* {when?} {happiness.what}. {happiness.word}. {after?}
2* [Five stars.|★★★★★|Review:|In short:] {goods} {happiness.praise}. {happiness.word} {happiness.mark?}
1* {goods} {happiness.praise} {happiness.mark?}
6* {call?} {happiness.word} {happiness.mark?}
4* {whose} {matter} {so?} {happiness.word} {happiness.mark?}
3* {whose} {matter} {so?} {happiness.remark} {happiness.mark?}
2* {happiness.remark} {happiness.word} {happiness.mark?}
2* {neutral.chat} {happiness.mark}
= happiness.what
got my first pay
a friend came by with cake
big flakes of snow
met a cat on my walk
mum made her stew
exams are over at last
saw the sea with the club
slept in
the shoes i wanted were on sale
got the acceptance letter
= happiness.praise
came quickly and is sturdy
has a pretty colour and is soft
is my third one
was a present and everyone likes it
is cheap too
is much better than i thought
= happiness.word
[so|really|very] happy
it made me happy
a happy day
I love it
love you
wonderful
thank you
so excited
so proud
proud of you
enjoyed it
so glad
beautiful
the best
made my day
i am obsessed
fire
it was lit
what a vibe
awesome
tasty
goosebumps
insane
you are the goat
a banger
chills
cool
goated
no notes
on repeat
lets go
we stan
vibing
born for it
it slaps
a huge w
sheesh
certified
peak
= happiness.remark
lets do it again
the wait was worth it
cannot stop smiling
mum likes it too
all the stress is gone
what would i do without you
still thinking about it
= happiness.mark: haha, 😊, 👍, ❤️, !!, lol, <3, 😍, 🥰, 🔥, 😆, 🙌

= neutral
2* {when} {neutral.did}.
2* {goods}. {neutral.ask}
2* {goods} {neutral.fact}.
1* {neutral.did}. {neutral.did}.
1* [Question:|Asking:] {neutral.ask}
8* {neutral.chat} {neutral.mark?}
2* {neutral.chat} {neutral.chat}
= neutral.chat
{whose} {matter} is [tomorrow|on friday|at 8|at nine]
what time is {whose} {matter}
where is {whose} {matter}
what is {whose} {matter} called
send me the link to {whose} {matter}
i put up the [pictures|video|notes] of {whose} {matter}
who is in {whose} {matter}
{whose} {matter} is in [denver|leeds|porto]
when does {whose} {matter} end
on my way from {whose} {matter}
number [1|2] of {whose} {matter} is me
{whose} {matter} has been there for [2|4|6] years
{whose} {matter} takes [15|20|45] minutes
they had {whose} {matter} in may too
what kind of {matter} is that
how much is {whose} {matter}
there are [3|4] parts of {whose} {matter}
i came by after {whose} {matter}
you can turn {whose} {matter} on at [6:15|7:30|9:00]
that is the one from [10:20|3:50|4:05]
did you get {whose} {matter} from the list
free parking at the {matter}
the code for {whose} {matter} is on my page
she has [two|three] of them
it says page [5|8|12] here
this one is next to that one
i am at the [station|school|shop] now
which floor is it
who is going
he is the [manager|new one] i think
arriving at [3|4] 30
who sits next to you
it is in the settings
i wrote them down in order
[ok|k|yes]
[copied|saved] the address
= neutral.did
did the laundry and the hoovering
went by the bank
had a sandwich for lunch
took the bus to the library
shopped and was back at [8|nine]
changed the sheets
moved the dentist to [friday|next week]
walked around the block [once|for 30 minutes]
read [ten pages|a chapter]
= neutral.ask
what size is it?
when does it ship?
is there [another colour|a refill]?
where is it made?
how many are in a box?
until when can i order?
who is it for?
= neutral.fact
is [250|500] grams
is the same as the one from [last year|last month]
comes with a manual
came on [monday|tuesday]
is set up in the app
is ten to a box
= neutral.mark: fyi, ., btw, i guess

= when: today, yesterday, in the morning, in the evening, monday:, a rainy day:, on the way home, dec 3:, weekend:
= whose: my, the, this, our, that, todays, your, last weeks
= so: just, was, is, again, well, and
= call: hey, oh, bro, mum, honestly, today, well, man, you know, ok, ah
= matter: group project, rent, team dinner, parcel, wifi, flatmate, shift, lunch, class, game
= matter: song, show, party, barber, club, photo, trip, film, update
= after: Early to bed., Tomorrow will be another day., End of entry., I will remember it., Anyway.
= goods: this bag, this duvet, this vacuum, the chair, the cream, these shoes, the tumbler, this book, the umbrella
= art: film, novel, song, exhibition, series
"""
