"""Words that may stand for each other in a question without changing its answer: groups between bars, base forms.

Own list. A word may stand in several groups; sharing one is enough. Groups are kept tight: near misses ("copy" and
"move", "list" and "count") are left out on purpose, because a wrong hit costs more than a missed one.
"""

from __future__ import annotations

GROUPS = """
get obtain acquire receive retrieve fetch gain | get become grow | buy purchase |
create make build generate produce construct | create establish found set | make render cause |
write compose author draft | start begin commence launch initiate | stop halt cease quit |
end finish conclude terminate complete | close shut | use utilize employ apply leverage | use usage utilization |
need require want necessitate | want wish desire like | must have need |
show display present exhibit demonstrate illustrate | show reveal indicate | see view look watch | look appear seem |
find locate discover detect identify | find search seek | search look hunt | check verify confirm validate inspect |
check examine review | test try check | try attempt | help assist aid support | allow permit let enable |
enable activate | disable deactivate | change modify alter adjust edit amend | change switch |
update upgrade refresh renew | improve enhance better boost optimize strengthen |
fix repair resolve solve correct remedy | solve resolve | solution fix answer resolution remedy |
problem issue trouble difficulty | error fault failure mistake bug | error exception | break crash fail |
broken faulty defective damaged | fail unsuccessful | delete remove erase | remove eliminate | remove uninstall |
add insert append include | add attach | include contain comprise feature | consist comprise contain |
combine merge join unite | combination mix blend mixture | connect link join attach | connection link |
separate split divide | part piece portion component section segment | part role | choose select pick |
choice option selection alternative | explain describe clarify elaborate | explanation description |
describe depict portray | tell inform notify | tell say state | say claim state | ask inquire query request |
ask request | answer reply respond response | speak talk | discuss talk | talk chat | mean signify |
meaning definition | define definition | define specify | difference distinction differ |
different distinct various diverse | various several multiple numerous many | several multiple |
similar alike comparable | same identical equal | equal equivalent |
important significant crucial essential vital key critical | main primary principal chief major key |
major large big significant | big large huge great sizable | small little tiny | fast quick rapid swift speedy |
quickly rapidly fast swiftly promptly | slow sluggish | easy simple straightforward effortless |
easily simply readily | hard difficult tough challenging | good great excellent fine | best top finest optimal ideal |
bad poor | happy glad pleased delighted | sad unhappy | angry furious mad |
beautiful pretty lovely gorgeous attractive | smart clever intelligent bright | stupid dumb foolish | rich wealthy |
famous known renowned celebrated | popular favored | new novel fresh | modern contemporary advanced |
advanced sophisticated cutting | old ancient elderly aged | correct right accurate proper | wrong incorrect |
exact precise accurate | exactly precisely | whole entire complete full | total overall entire |
enough sufficient adequate | free complimentary gratis | cheap inexpensive affordable | expensive costly pricey |
cost price fee charge | pay payment | money cash fund | salary wage pay | job work employment occupation | job task |
employee worker | employer boss | company firm business corporation enterprise organization |
organization institution | customer client consumer | user customer | buyer purchaser | seller vendor | shop store |
product item goods | car automobile vehicle | house home | phone telephone cellphone mobile smartphone | phone call |
computer pc | laptop notebook | picture photo image photograph | movie film | video clip | show program | song track |
sound audio | voice speech | text message | email mail | letter mail | document file | folder directory |
repository repo | app application program software | program software | library package module | package parcel |
function method | function feature | feature characteristic attribute property trait | parameter argument |
variable value | code program source | script program | run execute launch | run operate | execute perform |
perform conduct carry | operation procedure | process procedure | method approach technique way |
way method manner means approach | strategy plan approach | plan scheme | goal aim objective purpose target |
purpose reason | reason cause | cause lead trigger | effect impact influence consequence | affect influence impact |
result outcome consequence | result output | lead guide | guide tutorial manual | instruction direction guide |
advice tip suggestion recommendation guidance | suggest recommend propose advise | idea concept notion thought |
think believe suppose | thought idea | know understand | understand comprehend grasp | learn study |
teach instruct educate | learn taught | teacher instructor | student pupil | school academy |
knowledge understanding | information data detail info | data dataset | database db | model architecture |
platform framework | framework library | tool utility instrument | device gadget | machine device | system platform |
store save keep | store repository storage | save preserve | save store | keep retain maintain preserve | hold keep |
host store | share distribute | provide offer supply give deliver | give grant | offer present | serve act function |
send transmit | send dispatch | deliver delivery ship shipping shipment | arrive arrival come reach |
arrive delivered | leave depart exit | go travel | travel trip journey | visit tour | move relocate transfer |
transfer move | return back | return refund | refund reimburse reimbursement | cancel revoke abort | order purchase |
account profile | password passcode pin | login signin | log sign | register signup enroll | sign enroll |
identity id | reset restore | restore recover | lose misplace | lost missing | stolen theft steal |
decline reject refuse deny | reject refuse | accept approve | agree consent | limit cap restriction maximum |
limit restrict | max maximum | min minimum | increase raise grow rise boost expand |
decrease reduce lower lessen shrink decline drop | reduce minimize cut | rise climb | fall drop | grow develop |
develop build create | development growth | expand extend | extend prolong | range variety | range scope |
amount quantity sum | number count | average mean | calculate compute determine | determine decide | decide choose |
estimate approximate | measure gauge | measurement measure | compare contrast | analyze examine study |
analysis examination study | research study investigation | investigate examine | monitor watch track | track follow |
follow pursue | handle manage deal process | manage control administer | control regulate govern |
manager supervisor | leader head chief | rule regulation law | law legislation | right privilege |
protect secure guard safeguard defend | secure safe | safety security | danger risk hazard peril |
dangerous hazardous risky unsafe | avoid prevent | prevent stop | happen occur | event incident |
situation circumstance condition | condition state | environment setting | setting configuration config option |
configure configuration setup set | setup install | install installation | place location spot site | location place |
area region zone | country nation | nation state | city town | world globe | worldwide globally international |
abroad overseas | local nearby | near close | far distant | time period | moment instant | date day | daily everyday |
yearly annual annually | often frequently | frequent common | common usual typical |
usually normally typically generally commonly | normal regular standard | rare uncommon | sometimes occasionally |
always constantly continually | now currently presently | current present | current latest | latest newest recent |
recently lately | soon shortly | immediately instantly | today nowadays | later afterwards | before prior |
previous earlier prior | after following | next following | final last | first initial | initially originally |
original initial | also too additionally | moreover furthermore | however but though although nevertheless |
because since | therefore thus hence consequently | such like | about regarding concerning |
about approximately around roughly | almost nearly | very extremely highly | really truly actually |
maybe perhaps possibly | possible feasible | able capable | ability capability capacity |
chance possibility opportunity | likely probable | probably likely | certain sure | certainly surely definitely |
clear obvious evident | clearly obviously | simple basic | basic fundamental | basis foundation | level degree |
type kind sort category variety | class category | group set collection | set collection | list listing |
example instance sample | version edition release | release launch publish | publish issue | article post |
article paper | book publication | author writer | story tale | news report | report statement | section chapter |
page website | website site webpage | internet web | online web | network net | server host | service offering |
support assistance | help assistance | helper assistant | friend buddy pal | friend companion | child kid |
kid youngster | baby infant | man guy | woman lady | person individual human | people human person folk individual |
mother mom mum | father dad | parent guardian | husband spouse | wife spouse | doctor physician |
disease illness sickness | sick ill | illness disease | medicine drug medication | cure treat heal |
treatment therapy | pain ache | hurt injure | die perish | death passing | kill slay murder | fight battle |
war conflict | attack assault | enemy foe opponent | win triumph | winner champion | defeat beat | game match |
play perform | player athlete | team squad | exercise workout | fat overweight | thin slim | tall high |
high elevated | short brief | brief concise | long lengthy | wide broad | deep profound | strong powerful robust |
power strength | powerful strong | weak feeble | energy power | quiet silent | loud noisy | hot warm | cold chilly |
wet damp | clean tidy | dirty filthy | empty vacant | full packed | dark dim | color colour | center centre |
middle center | edge border | top peak | bottom base | back rear | inside within | above over | below beneath under |
across throughout | through via | toward towards | among between amid | during while | while whereas |
despite regardless | instead rather | only just solely merely | together jointly | each every |
extra additional more further | additional further | another other | remaining rest | food meal | eat consume |
drink beverage | cook prepare | prepare ready | language tongue | translate translation | word term |
phrase expression | summary overview | introduction intro | overview introduction | rewrite rephrase paraphrase |
topic subject theme | subject matter | question query | field domain area | scientist researcher |
automatic automated | training train | efficient effective | efficiently effectively | efficiency effectiveness |
performance speed | accuracy precision | valuable useful beneficial | useful helpful handy | benefit advantage |
advantage pro | disadvantage drawback downside con | value worth | cost expense | spend expend | invest investment |
loan credit | exchange swap convert | convert transform turn | conversion exchange | transform change | bill invoice |
withdraw withdrawal | atm cashpoint | wrong mistaken | pending waiting processing | wait await waiting | wait delay |
delay late | unknown unrecognized unfamiliar | recognize know | strange weird odd unusual | curious interested |
interest interested | love adore | like enjoy love | hate dislike detest | fear afraid scared |
afraid scared frightened | worry concern | surprise astonish amaze | amazing incredible astonishing wonderful |
awful terrible horrible dreadful | funny humorous | serious grave | polite courteous | rude impolite |
brave courageous | honest truthful | real genuine actual authentic | fake counterfeit | proof evidence |
prove demonstrate | crime offense | prison jail | lawyer attorney | government administration | election vote |
army military | weapon arm | ship vessel boat | plane airplane aircraft | road street | building structure |
garden yard | forest wood | river stream | sea ocean | dog puppy | stone rock | weather climate | fire blaze |
born birth | marry wed | marriage wedding | name call title | called named | known called | own possess have |
owner proprietor | member participant | participate join engage | involve include | meet encounter |
meeting conference | award prize | achieve accomplish attain reach | achievement accomplishment |
produce manufacture | production manufacturing | factory plant | band group | album record | actor performer |
located situated | population inhabitant | resident inhabitant | live reside dwell | remain stay | walk stroll |
jump leap | throw toss | push press | pull drag | carry transport | lift raise | put place | collect gather |
gather assemble | spread distribute | hide conceal | reveal disclose | announce declare proclaim | warn alert |
notification alert notice | promise pledge | permission authorization | authorize permit | accessible available |
available obtainable | debug troubleshoot diagnose | compile build | deploy deployment release | loop iterate |
array list | dictionary map | integer int | boolean bool | sort order arrange | random arbitrary | duplicate copy |
copy duplicate | unique distinct | empty blank | null none | stage phase step | step stage | speed velocity |
growth increase | reduction decrease | gain profit | profit earnings | income revenue earnings | advertise promote |
advertisement ad | historical historic | tradition custom | traditional conventional | religion faith | soul spirit |
mind brain | remember recall | focus concentrate | ignore disregard | observe notice watch | predict forecast |
prediction forecast | expect anticipate | complain complaint | welcome greet | guest visitor | holiday vacation |
hour hr | minute min | second sec | furnish provide supply | facilitate enable ease simplify | allow enable possible |
ability able capable possible | possible able can | necessary required needed need require | need necessary require |
required mandatory obligatory compulsory | optional voluntary | acquire gain earn | assign allocate designate |
designate specify indicate define | specify indicate state |
specified given indicated defined stated provided designated | determine ascertain establish identify |
identify recognize | accomplish complete finish perform | carry perform execute | adhere follow comply obey |
adjust tune adapt | adapt customize tailor | customize personalize | alter transform change |
manipulate handle process modify | process handle treat | encompass include cover contain comprise |
consist include contain | divide split partition segment | division part section split |
aggregate combine gather collect | compile gather collect assemble | arrange organize structure order |
organize structure | organization structure | order sequence | sequence series | series string chain |
assess evaluate judge appraise | evaluate measure assess | evaluation assessment | evaluate test | estimate assess |
concern involve regard relate | relate connect associate link | associated related linked connected |
relation relationship connection link | refer point direct | redirect direct forward | consult refer check |
visit go | depend rely | rely trust | derive obtain get | derived based | based founded built |
deduce infer derive conclude | infer guess | imply suggest mean | demand require request | desired wanted preferred |
prefer favor | preference choice | discard drop remove throw | drop remove delete | omit skip leave | skip bypass |
duplicate repeat | repeat again iterate | iterate cycle loop repeat | emphasize stress highlight | highlight mark |
mark label tag | label tag name | name title label | entire full | entirely completely fully totally wholly |
fully completely | partly partially | equip provide | establish set | exist occur |
existing current present available | extract take retrieve unpack | extract pull | retrieve load get |
load import read | upload push publish post | publish post share | submit send file | submit upload |
implement realize build apply | implementation realization | incorporate include integrate embed |
integrate combine embed | integration incorporation | initialize start set | instantiate create | inspect look view |
preview view | investigate look | maintain keep support | match correspond fit | corresponding matching respective |
fit suit | suitable appropriate fitting proper | appropriate proper right correct | merge integrate | notice see |
numerous many several | numerical numeric | obstacle hurdle barrier | operate work function | work function operate |
opportunity possibility | original initial first | perspective view viewpoint | phase stage |
pinpoint locate identify | predefined preset | preset default | primary first | prior earlier before |
produce yield generate give | yield return produce | return give yield produce output | return retrieve |
output result | outcome output | proper suitable | quantity number amount | rapidly quickly | rate speed |
replace substitute swap | substitute replacement | represent depict show stand | representation depiction |
respond react | restrict confine | retain preserve hold | reveal uncover | scan search | select retrieve pick |
separate individual distinct independent | independently separately individually | individual single separate |
single sole | size dimension | dimension length size | speed accelerate quicken hasten | accelerated faster sped |
straightforward direct | structure layout format | format form | form shape | form type | style manner |
subsequent following next later | subsequently afterwards then later | substantial considerable significant large |
sufficient adequate | supply equip | surpass exceed outperform | exceed pass | switch toggle | target goal |
technique procedure | term period | terminate end | trait quality | transmit transfer | unite join |
valid legitimate | vary differ | via using | view see | visual image vision | visualize display | vision sight |
audio auditory | textual text | tabular table | column field | row line | field area | record entry row | entry item |
item element | element component | object thing | component module | container holder | capacity capability |
size volume | storage space | disk drive | memory ram | cache store | stored saved kept | link url |
connection relationship | address url | path location | directory path | terminal console shell | console command |
command instruction | query search | prompt message | alert warning | warning caution | log record | log journal |
trace track | metric measure | statistic figure | chart graph plot diagram | figure picture | table chart |
schedule plan | plan intend | intend aim mean | aim seek | seek try | strive try attempt |
encounter face meet experience | face confront | experience undergo | experience knowledge | skill ability |
expert specialist professional | novice beginner | rookie beginner | newcomer beginner | advise recommend |
recommended suggested advised | should ought | approve confirm | sanction approve | accurate precise correct |
accurately correctly precisely | mandatory necessary | ideal perfect | perfect flawless | flaw defect fault |
shortcoming weakness drawback | merit advantage | pros advantages | cons disadvantages | assistance aid |
collaborate cooperate | collaborate work | cooperation collaboration | community group | discussion conversation |
conversation dialogue chat | conversation talk | message statement | comment remark | remark note | note notice |
note mention | mention cite | cite quote | accessible reachable | reach access | access use | enter access |
alternative substitute | alternatively otherwise | multiple various | couple pair | dual double | percent percentage |
portion share | share part | proportion ratio | ratio rate | fraction part | majority most | minority few
"""
