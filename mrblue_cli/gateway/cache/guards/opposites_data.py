"""Words that turn an answer around: pairs of opposites, and families of which only one can be meant.

Own lists in base forms; bars stand between families.
"""

from __future__ import annotations

PAIRS = """
enable/disable activate/deactivate allow/forbid allow/block allow/deny allow/prevent permit/prohibit permit/forbid
accept/reject accept/decline accept/refuse approve/reject approve/deny grant/revoke grant/deny agree/disagree
start/stop start/end start/finish begin/end begin/finish start/shutdown launch/quit resume/pause play/pause
continue/stop open/close lock/unlock block/unblock freeze/unfreeze mount/unmount install/uninstall install/remove
load/unload connect/disconnect attach/detach bind/unbind subscribe/unsubscribe follow/unfollow register/unregister
plug/unplug login/logout signin/signout enter/exit enter/leave arrive/leave arrive/depart come/go push/pull
pull/push upload/download import/export encode/decode encrypt/decrypt compress/decompress compress/extract zip/unzip
pack/unpack serialize/deserialize marshal/unmarshal compile/decompile wrap/unwrap escape/unescape stage/unstage
commit/revert merge/split join/split combine/separate join/leave join/quit unite/divide include/exclude include/omit
add/remove add/delete add/subtract insert/delete append/remove create/delete create/destroy build/destroy make/break
multiply/divide increase/decrease increase/reduce increase/lower raise/lower raise/reduce rise/fall rise/drop
grow/shrink expand/shrink expand/contract gain/lose win/lose earn/spend save/spend save/lose save/delete
save/discard keep/discard keep/delete maximize/minimize maximum/minimum max/min most/least more/less more/fewer
upgrade/downgrade improve/worsen strengthen/weaken buy/sell purchase/sell lend/borrow give/take give/receive
send/receive deposit/withdraw deposit/withdrawal pay/receive credit/debit income/expense profit/loss asset/liability
refund/charge push/pop enqueue/dequeue read/write get/set show/hide reveal/conceal appear/disappear find/lose
remember/forget pass/fail succeed/fail success/failure love/hate like/dislike like/hate praise/criticize
trust/distrust hope/despair laugh/cry attack/defend help/hinder encourage/discourage support/oppose admit/deny
confirm/deny confirm/cancel book/cancel hire/fire employ/dismiss teach/learn ask/answer question/answer
cause/prevent cause/cure harm/heal kill/save live/die birth/death born/die marry/divorce sleep/wake lie/stand
sit/stand rise/set heat/cool freeze/melt freeze/thaw wet/dry clean/dirty fill/empty before/after earlier/later
early/late first/last previous/next past/future ancestor/descendant parent/child prior/subsequent
ascending/descending ascend/descend forward/backward forwards/backwards clockwise/counterclockwise left/right
top/bottom up/down above/below over/under upper/lower high/low higher/lower inside/outside inner/outer
internal/external interior/exterior in/out on/off into/out north/south east/west northern/southern eastern/western
front/back head/tail near/far with/without for/against to/from pro/con advantage/disadvantage benefit/drawback
strength/weakness positive/negative true/false right/wrong correct/incorrect correct/wrong good/bad good/evil
good/poor best/worst better/worse great/terrible easy/hard easy/difficult simple/complex simple/complicated
simple/hard safe/dangerous safe/risky secure/vulnerable fast/slow quick/slow faster/slower big/small large/small
large/little big/little long/short longer/shorter tall/short wide/narrow broad/narrow thick/thin fat/thin fat/slim
deep/shallow heavy/light dark/light dark/bright strong/weak hot/cold warm/cool warm/cold new/old young/old
modern/ancient fresh/stale rich/poor wealthy/poor cheap/expensive cheap/costly full/empty open/closed public/private
local/global local/remote static/dynamic mutable/immutable synchronous/asynchronous sync/async signed/unsigned
virtual/physical digital/analog software/hardware client/server online/offline active/inactive active/passive
alive/dead living/dead awake/asleep present/absent visible/hidden visible/invisible known/unknown common/rare
usual/unusual frequent/rare often/rarely often/seldom always/never always/sometimes everything/nothing
everyone/nobody everyone/noone everybody/nobody all/none all/some some/none something/nothing anything/nothing
somebody/nobody someone/nobody everywhere/nowhere many/few many/little much/little both/neither same/different
similar/different equal/unequal alike/different normal/abnormal natural/artificial real/fake real/imaginary
genuine/fake original/copy temporary/permanent initial/final optional/required optional/mandatory
necessary/unnecessary possible/impossible legal/illegal moral/immoral mature/immature polite/rude patient/impatient
perfect/imperfect direct/indirect dependent/independent relevant/irrelevant regular/irregular rational/irrational
happy/sad happy/unhappy glad/sad angry/calm brave/cowardly brave/afraid calm/nervous kind/cruel friendly/hostile
honest/dishonest generous/stingy humble/proud lazy/diligent lazy/hardworking loud/quiet noisy/quiet smart/stupid
clever/stupid wise/foolish beautiful/ugly pretty/ugly attractive/ugly healthy/sick healthy/ill guilty/innocent
hungry/full thirsty/hydrated tired/energetic tired/rested busy/idle busy/free free/paid drunk/sober single/married
male/female man/woman boy/girl men/women father/mother son/daughter brother/sister husband/wife uncle/aunt
king/queen he/she him/her his/her himself/herself husband/bride actor/actress hero/villain friend/enemy ally/enemy
teacher/student doctor/patient employer/employee buyer/seller buyer/vendor sender/receiver sender/recipient
winner/loser leader/follower master/slave host/guest predator/prey lender/borrower landlord/tenant odd/even
day/night morning/evening am/pm sunrise/sunset summer/winter spring/autumn today/yesterday today/tomorrow
yesterday/tomorrow ceiling/floor heaven/hell war/peace vertical/horizontal row/column numerator/denominator
singular/plural input/output source/destination source/target upstream/downstream frontend/backend
uppercase/lowercase prefix/suffix lead/follow accelerate/decelerate hurry/delay abundant/scarce abundance/scarcity
ahead/behind alone/together ancient/modern answer/question approach/retreat attract/repel autumn/spring
awkward/graceful bitter/sweet sour/sweet blame/praise bless/curse bold/timid boring/interesting boring/exciting
bored/interested bottom/top bright/dim build/demolish captive/free careful/careless cautious/reckless chaos/order
compulsory/voluntary conceal/reveal condemn/praise conservative/liberal construct/destroy consume/produce cool/warm
courage/fear cruel/gentle damage/repair danger/safety defeat/victory victory/loss deliberate/accidental
demand/supply despair/hope dull/sharp dull/bright dull/interesting economic/wasteful employed/unemployed
entrance/exit exaggerate/understate export/import expose/hide fair/unfair false/true fancy/plain fertile/barren
fiction/fact fixed/flexible rigid/flexible formal/informal frequent/infrequent friend/foe gather/scatter giant/tiny
huge/tiny guest/host harmful/harmless harmful/beneficial harsh/mild hollow/solid hopeful/hopeless ignore/notice
important/trivial important/unimportant inferior/superior innocent/guilty junior/senior justice/injustice
knowledge/ignorance landing/takeoff land/takeoff liquid/solid loose/tight love/hatred lucky/unlucky major/minor
majority/minority miser/spendthrift narrow/wide nervous/relaxed tense/relaxed obey/disobey optimist/pessimist
optimistic/pessimistic pleasure/pain pleasant/unpleasant plentiful/scarce powerful/powerless powerful/weak
praise/blame presence/absence pride/shame private/public protect/attack pure/impure quality/quantity quiet/loud
raise/drop rapid/slow raw/cooked refuse/accept reward/punish reward/punishment rough/smooth rural/urban
city/countryside satisfied/dissatisfied scatter/collect selfish/unselfish selfish/generous serious/funny
serious/frivolous sharp/blunt shrink/grow silent/talkative simple/elaborate sink/float slim/chubby soft/hard
solid/liquid sorrow/joy joy/sadness sow/reap stale/fresh straight/crooked straight/curved strict/lenient tame/wild
thaw/freeze tidy/messy tight/slack transparent/opaque truth/lie ugly/gorgeous useful/useless vacant/occupied
vague/clear valuable/worthless violent/gentle violent/peaceful virtue/vice wealth/poverty weak/powerful weird/normal
strange/familiar wise/stupid within/outside worthy/unworthy young/elderly abolish/establish abstract/concrete
accidental/intentional acquit/convict admire/despise adult/child advance/retreat aggressive/peaceful
aggressive/passive amateur/professional appreciate/depreciate arrogant/humble arrogant/modest assemble/dismantle
attractive/repulsive beginner/expert borrow/return calm/excited cheerful/gloomy cheap/pricey comedy/tragedy
comfort/discomfort confident/shy confident/insecure confuse/clarify create/erase cry/smile dead/alive
decent/indecent defend/accuse delicious/disgusting delicious/awful depressed/cheerful detail/summary dim/bright
doubt/trust doubt/certainty sure/doubtful certain/uncertain eager/reluctant elegant/clumsy exhale/inhale
explicit/implicit extend/shorten extrovert/introvert fail/succeed faithful/unfaithful famous/unknown famous/obscure
fascinating/boring feeble/strong foreign/domestic foreign/native forgive/blame fragile/sturdy funny/sad
gradual/sudden gradually/suddenly grateful/ungrateful handsome/ugly hardworking/lazy ill/well well/badly
incredible/credible inhabited/deserted injure/heal intact/broken broken/fixed keen/reluctant kind/mean lead/trail
likely/unlikely logical/illogical lovely/horrible wonderful/awful wonderful/terrible awesome/awful mad/sane
sane/insane mobile/fixed mobile/stationary modest/proud naked/clothed naughty/obedient neat/messy nice/nasty
nice/mean obvious/subtle offend/compliment old/recent outgoing/shy outgoing/incoming parallel/perpendicular
part/whole popular/unpopular promote/demote punctual/late pull/shove question/reply quick/sluggish relax/tighten
remain/leave stay/leave rude/courteous sacred/profane safe/unsafe scared/brave sensible/foolish
sensitive/insensitive shallow/profound shut/open sick/well sincere/insincere slow/speedy smooth/bumpy spend/earn
stable/unstable steep/gentle stand/kneel strong/fragile stubborn/flexible surplus/deficit surrender/resist
talented/untalented tall/small thick/slim thoughtful/thoughtless tiny/enormous tough/tender toxic/harmless
trivial/crucial unite/separate vanish/appear warm/chilly weary/energetic wide/thin wild/domestic young/aged
major/undergraduate amazing/awful increase/decline positive/pessimistic worst/finest lenient/harsh
vegetarian/carnivore plenty/lack abundance/lack have/lack rain/shine
"""

FAMILIES = """
transfer withdrawal deposit refund purchase | request response | header body footer |
monday tuesday wednesday thursday friday saturday sunday | january february march april may june july august
september october november december | spring summer autumn winter | morning afternoon evening night midnight noon |
north south east west northeast northwest southeast southwest | northern southern eastern western | red green blue
yellow orange purple pink brown black white gray grey violet | second minute hour day week fortnight month quarter
year decade century millennium | daily weekly monthly quarterly yearly annual hourly | python java javascript
typescript ruby rust go golang kotlin swift php perl scala haskell c cpp csharp elixir erlang lua r matlab julia
fortran cobol dart | linux windows macos mac android ios ubuntu debian fedora centos arch freebsd alpine | aws azure
gcp heroku digitalocean vercel netlify | mysql postgres postgresql sqlite oracle mongodb redis cassandra mariadb
dynamodb elasticsearch | react vue angular svelte ember jquery | django flask fastapi rails laravel spring express |
docker podman kubernetes | npm yarn pnpm pip conda poetry cargo maven gradle apt brew yum | chrome firefox safari
edge opera | bash zsh fish powershell | vim emacs nano vscode intellij pycharm eclipse | json yaml xml csv toml html
css markdown | git svn mercurial | github gitlab bitbucket | nginx apache caddy haproxy | tcp udp http https ftp ssh
smtp grpc | get post put patch | dev staging production | stack queue heap tree graph list array set tuple
dictionary map | int float string boolean double char | visa mastercard amex maestro paypal | credit debit prepaid |
usd eur gbp dollar euro pound yen yuan rupee franc | english french german spanish italian portuguese russian
chinese japanese korean arabic hindi dutch polish swedish turkish greek | england france germany spain italy
portugal russia china japan korea india canada mexico brazil australia netherlands poland sweden turkey greece egypt
| mercury venus earth mars jupiter saturn uranus neptune pluto | dog cat horse cow pig sheep goat chicken duck bird
fish rabbit mouse lion tiger bear wolf fox elephant | mother father sister brother son daughter uncle aunt cousin
grandfather grandmother nephew niece | breakfast lunch dinner | translate summarize explain list count compare
rewrite delete create rename copy move | meter kilometer centimeter millimeter mile foot inch yard | gram kilogram
milligram ton ounce | byte kilobyte megabyte gigabyte terabyte kb mb gb tb | celsius fahrenheit kelvin | bus train
plane car bicycle motorcycle ship boat taxi subway | apple banana grape lemon pear peach cherry | coffee tea milk
juice beer wine | gold silver bronze copper iron steel | football basketball baseball tennis hockey golf cricket
rugby volleyball soccer | guitar piano violin drum flute trumpet cello saxophone | physics chemistry biology
mathematics geology astronomy | i you he she it we they | me you him her us them | my your his her its our their
"""
