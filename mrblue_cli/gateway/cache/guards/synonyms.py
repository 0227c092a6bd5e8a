"""Words that may stand for each other in a question without changing its answer: one group a line, base forms.

Own list. A word may stand in several groups; sharing one is enough. Groups are kept tight: near misses ("copy" and
"move", "list" and "count") are left out on purpose, because a wrong hit costs more than a missed one.
"""

from __future__ import annotations

GROUPS = """
get obtain acquire receive retrieve fetch gain
get become grow
buy purchase
create make build generate produce construct
create establish found set
make render cause
write compose author draft
start begin commence launch initiate
stop halt cease quit
end finish conclude terminate complete
close shut
use utilize employ apply leverage
use usage utilization
need require want necessitate
want wish desire like
must have need
show display present exhibit demonstrate illustrate
show reveal indicate
see view look watch
look appear seem
find locate discover detect identify
find search seek
search look hunt
check verify confirm validate inspect
check examine review
test try check
try attempt
help assist aid support
allow permit let enable
enable activate
disable deactivate
change modify alter adjust edit amend
change switch
update upgrade refresh renew
improve enhance better boost optimize strengthen
fix repair resolve solve correct remedy
solve resolve
solution fix answer resolution remedy
problem issue trouble difficulty
error fault failure mistake bug
error exception
break crash fail
broken faulty defective damaged
fail unsuccessful
delete remove erase
remove eliminate
remove uninstall
add insert append include
add attach
include contain comprise feature
consist comprise contain
combine merge join unite
combination mix blend mixture
connect link join attach
connection link
separate split divide
part piece portion component section segment
part role
choose select pick
choice option selection alternative
explain describe clarify elaborate
explanation description
describe depict portray
tell inform notify
tell say state
say claim state
ask inquire query request
ask request
answer reply respond response
speak talk
discuss talk
talk chat
mean signify
meaning definition
define definition
define specify
difference distinction differ
different distinct various diverse
various several multiple numerous many
several multiple
similar alike comparable
same identical equal
equal equivalent
important significant crucial essential vital key critical
main primary principal chief major key
major large big significant
big large huge great sizable
small little tiny
fast quick rapid swift speedy
quickly rapidly fast swiftly promptly
slow sluggish
easy simple straightforward effortless
easily simply readily
hard difficult tough challenging
good great excellent fine
best top finest optimal ideal
bad poor
happy glad pleased delighted
sad unhappy
angry furious mad
beautiful pretty lovely gorgeous attractive
smart clever intelligent bright
stupid dumb foolish
rich wealthy
famous known renowned celebrated
popular favored
new novel fresh
modern contemporary advanced
advanced sophisticated cutting
old ancient elderly aged
correct right accurate proper
wrong incorrect
exact precise accurate
exactly precisely
whole entire complete full
total overall entire
enough sufficient adequate
free complimentary gratis
cheap inexpensive affordable
expensive costly pricey
cost price fee charge
pay payment
money cash fund
salary wage pay
job work employment occupation
job task
employee worker
employer boss
company firm business corporation enterprise organization
organization institution
customer client consumer
user customer
buyer purchaser
seller vendor
shop store
product item goods
car automobile vehicle
house home
phone telephone cellphone mobile smartphone
phone call
computer pc
laptop notebook
picture photo image photograph
movie film
video clip
show program
song track
sound audio
voice speech
text message
email mail
letter mail
document file
folder directory
repository repo
app application program software
program software
library package module
package parcel
function method
function feature
feature characteristic attribute property trait
parameter argument
variable value
code program source
script program
run execute launch
run operate
execute perform
perform conduct carry
operation procedure
process procedure
method approach technique way
way method manner means approach
strategy plan approach
plan scheme
goal aim objective purpose target
purpose reason
reason cause
cause lead trigger
effect impact influence consequence
affect influence impact
result outcome consequence
result output
lead guide
guide tutorial manual
instruction direction guide
advice tip suggestion recommendation guidance
suggest recommend propose advise
idea concept notion thought
think believe suppose
thought idea
know understand
understand comprehend grasp
learn study
teach instruct educate
learn taught
teacher instructor
student pupil
school academy
knowledge understanding
information data detail info
data dataset
database db
model architecture
platform framework
framework library
tool utility instrument
device gadget
machine device
system platform
store save keep
store repository storage
save preserve
save store
keep retain maintain preserve
hold keep
host store
share distribute
provide offer supply give deliver
give grant
offer present
serve act function
send transmit
send dispatch
deliver delivery ship shipping shipment
arrive arrival come reach
arrive delivered
leave depart exit
go travel
travel trip journey
visit tour
move relocate transfer
transfer move
return back
return refund
refund reimburse reimbursement
cancel revoke abort
order purchase
account profile
password passcode pin
login signin
log sign
register signup enroll
sign enroll
identity id
reset restore
restore recover
lose misplace
lost missing
stolen theft steal
decline reject refuse deny
reject refuse
accept approve
agree consent
limit cap restriction maximum
limit restrict
max maximum
min minimum
increase raise grow rise boost expand
decrease reduce lower lessen shrink decline drop
reduce minimize cut
rise climb
fall drop
grow develop
develop build create
development growth
expand extend
extend prolong
range variety
range scope
amount quantity sum
number count
average mean
calculate compute determine
determine decide
decide choose
estimate approximate
measure gauge
measurement measure
compare contrast
analyze examine study
analysis examination study
research study investigation
investigate examine
monitor watch track
track follow
follow pursue
handle manage deal process
manage control administer
control regulate govern
manager supervisor
leader head chief
rule regulation law
law legislation
right privilege
protect secure guard safeguard defend
secure safe
safety security
danger risk hazard peril
dangerous hazardous risky unsafe
avoid prevent
prevent stop
happen occur
event incident
situation circumstance condition
condition state
environment setting
setting configuration config option
configure configuration setup set
setup install
install installation
place location spot site
location place
area region zone
country nation
nation state
city town
world globe
worldwide globally international
abroad overseas
local nearby
near close
far distant
time period
moment instant
date day
daily everyday
yearly annual annually
monthly
often frequently
frequent common
common usual typical
usually normally typically generally commonly
normal regular standard
rare uncommon
sometimes occasionally
always constantly continually
now currently presently
current present
current latest
latest newest recent
recently lately
soon shortly
immediately instantly
today nowadays
later afterwards
before prior
previous earlier prior
after following
next following
final last
first initial
initially originally
original initial
also too additionally
moreover furthermore
however but though although nevertheless
because since
therefore thus hence consequently
such like
about regarding concerning
about approximately around roughly
almost nearly
very extremely highly
really truly actually
maybe perhaps possibly
possible feasible
able capable
ability capability capacity
chance possibility opportunity
likely probable
probably likely
certain sure
certainly surely definitely
clear obvious evident
clearly obviously
simple basic
basic fundamental
basis foundation
level degree
type kind sort category variety
class category
group set collection
set collection
list listing
example instance sample
version edition release
release launch publish
publish issue
article post
article paper
book publication
author writer
story tale
news report
report statement
section chapter
page website
website site webpage
internet web
online web
network net
server host
service offering
support assistance
help assistance
helper assistant
friend buddy pal
friend companion
child kid
kid youngster
baby infant
man guy
woman lady
person individual human
people human person folk individual
mother mom mum
father dad
parent guardian
husband spouse
wife spouse
doctor physician
disease illness sickness
sick ill
illness disease
medicine drug medication
cure treat heal
treatment therapy
pain ache
hurt injure
die perish
death passing
kill slay murder
fight battle
war conflict
attack assault
enemy foe opponent
win triumph
winner champion
defeat beat
game match
play perform
player athlete
team squad
exercise workout
weight
fat overweight
thin slim
tall high
high elevated
short brief
brief concise
long lengthy
wide broad
narrow
deep profound
strong powerful robust
power strength
powerful strong
weak feeble
energy power
quiet silent
loud noisy
hot warm
cold chilly
wet damp
clean tidy
dirty filthy
empty vacant
full packed
heavy
light
dark dim
color colour
center centre
middle center
edge border
side
top peak
bottom base
front
back rear
inside within
outside
above over
below beneath under
across throughout
through via
toward towards
among between amid
during while
while whereas
despite regardless

instead rather
only just solely merely
together jointly
alone
each every
both
extra additional more further
additional further
another other
remaining rest
etc
food meal
eat consume
drink beverage
cook prepare
prepare ready
recipe
language tongue
translate translation
word term
phrase expression
sentence
grammar
summary overview
summarize
introduction intro
overview introduction
rewrite rephrase paraphrase
topic subject theme
subject matter
question query
field domain area
science
scientist researcher
research
machine
artificial
automatic automated
automatically
training train
efficient effective
efficiently effectively
efficiency effectiveness
performance speed
accuracy precision
quality
valuable useful beneficial
useful helpful handy
benefit advantage
advantage pro
disadvantage drawback downside con
strength
weakness
value worth
cost expense
spend expend
budget
invest investment
loan credit
debt
bank
tax
topup
top
exchange swap convert
convert transform turn
conversion exchange
transform change
currency
rate
bill invoice
receipt
statement
withdraw withdrawal
deposit
atm cashpoint
card
debit
wrong mistaken
pending waiting processing
wait await waiting
wait delay
delay late
unknown unrecognized unfamiliar
recognize know
strange weird odd unusual
curious interested
interest interested
love adore
like enjoy love
hate dislike detest
fear afraid scared
afraid scared frightened
worry concern
concern
surprise astonish amaze
amazing incredible astonishing wonderful
awful terrible horrible dreadful
funny humorous
serious grave
polite courteous
rude impolite
brave courageous
honest truthful
lie
real genuine actual authentic
fake counterfeit
true
fact
proof evidence
prove demonstrate
crime offense
criminal
arrest
prison jail
court
lawyer attorney
judge
police
government administration
president
politician
election vote
elect
king
army military
soldier
weapon arm
ship vessel boat
plane airplane aircraft
airport
flight
train
road street
bridge
building structure
structure
room
door
garden yard
tree
forest wood
river stream
sea ocean
mountain
animal
dog puppy
cat
fish
bird
stone rock
earth
sky
star
sun
moon
weather climate
storm
rain
snow
fire blaze
water
wind
born birth
marry wed
marriage wedding
name call title
called named
known called
nickname
belong
own possess have
owner proprietor
possess
member participant
participate join engage
involve include
attend
meet encounter
meeting conference
conference
ceremony
award prize
honor
achieve accomplish attain reach
achievement accomplishment
success
successful
succeed
effort
produce manufacture
production manufacturing
manufacture
factory plant
material
design
designer
architect
art
artist
music
musician
band group
album record
record
actor performer
direct
director
located situated
situated
border
surround
population inhabitant
resident inhabitant
citizen
live reside dwell
life
remain stay
stay
stand
sit
walk stroll
run
jump leap
throw toss
catch
push press
pull drag
carry transport
transport
lift raise
put place
bring
take
collect gather
gather assemble
assemble
spread distribute
cover
hide conceal
discover
reveal disclose
announce declare proclaim
declare
warn alert
notification alert notice
alert
promise pledge
permission authorization
authorize permit
access
accessible available
available obtainable
unavailable
compatible
support
supported
debug troubleshoot diagnose
compile build
deploy deployment release
container
cluster
node
thread
loop iterate
string
array list
dictionary map
integer int
boolean bool
parse
sort order arrange
filter
random arbitrary
duplicate copy
copy duplicate
unique distinct
empty blank
null none
big
stage phase step
step stage
speed velocity
growth increase
reduction decrease
loss
gain profit
profit earnings
earn
income revenue earnings
sell
sale
market
trade
advertise promote
promote
advertisement ad
brand
trend
future
past
history
historical historic
tradition custom
traditional conventional
culture
religion faith
church
god
soul spirit
mind brain
heart
body
head
hand
eye
face
hair
skin
bone
blood
sleep
dream
remember recall
forget
memory
attention
focus concentrate
ignore disregard
notice
observe notice watch
predict forecast
prediction forecast
expect anticipate
hope
hopeful
complain complaint
apologize
thank
welcome greet
invite
guest visitor
celebrate
party
holiday vacation
weekend
hour hr
minute min
second sec
"""
