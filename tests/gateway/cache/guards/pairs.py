"""Pairs written for the tests: what a guard has to stop, and what it has to let through."""

from __future__ import annotations


def pairs(text: str) -> list[tuple[str, str]]:
    """Lines of "one | other"."""
    found = []
    for line in text.strip().splitlines():
        one, _, other = line.partition(" | ")
        found.append((one, other))
    return found


NEGATION_STOPS = pairs("""
The build works. | The build does not work.
Why does my test pass? | Why doesn't my test pass?
I have received my card. | I haven't received my card.
How do I deploy with downtime? | How do I deploy without downtime?
This format is supported. | This format is unsupported.
It is possible to undo this. | It is impossible to undo this.
She is happy with it. | She is not unhappy with it.
The service is no longer available. | The service is available.
He can't come. | He won't come.
Nobody knows the answer. | Everybody knows the answer.
Show the lines that match. | Show the lines that never match.
The option is valid. | The option is invalid.
cant connect to the server | can connect to the server
""")
NEGATION_PASSES = pairs("""
My card doesn't work. | My card does not work.
I cannot log in. | I can't log in.
Why isn't the cache used? | Why is the cache not used?
No, it works with Python. | It works with Python.
I don't have access. | I do not have access.
dont know how to install it | don't know how to install it
""")

NUMBERS_STOP = pairs("""
How do I upgrade to Python 3.11? | How do I upgrade to Python 3.12?
What is 7 - 3? | What is 3 - 7?
Files larger than 100 MB | Files larger than 100 KB
List five ideas. | List three ideas.
Rename from 5 to 10. | Rename from 10 to 5.
Who won in 1998? | Who won in 2002?
Convert 20 miles. | Convert 20 kilometers.
Meet me on 3 May. | Meet me on 3 June.
What is 15% of 80? | What is 80% of 15?
Wait 30 seconds. | Wait 30 minutes.
It costs two million dollars. | It costs two billion dollars.
What is 2 + 3? | What is 2 * 3?
The first of 12 steps | The first of 20 steps
""")
NUMBERS_PASS = pairs("""
List five ideas. | List 5 ideas.
It has 1,000 users. | It has 1000 users.
Twenty-five people came. | 25 people came.
Two million users | 2 million users
In 1990 he moved to Rome. | He moved to Rome in 1990.
I waited 1 week. | I waited a week.
Wait 30 seconds. | Wait 30 s.
On Jan 5 it rained. | On January 5 it rained.
""")

ENTITIES_STOP = pairs("""
What does load_dataset() do? | What does load_metric() do?
Open /etc/hosts for me. | Open /etc/passwd for me.
See https://example.org/a please. | See https://example.org/b please.
Use the flag --force here. | Use the flag --dry-run here.
Did Marie Curie live in Paris? | Did Albert Einstein live in Paris?
Explain `os.path.join` to me. | Explain the call to me.
Our office in Lisbon is closed. | Our office in Porto is closed.
What is new in v2.10.0? | What is new in v2.11.0?
""")
ENTITIES_PASS = pairs("""
What does load_dataset() do? | What does load_dataset do?
Is numpy installed on the server? | Is NumPy installed on the server?
What is new in v2.10.0? | What is new in version 2.10.0?
Flights to NYC | Flights to New York City
""")

OPPOSITES_STOP = pairs("""
How do I enable the firewall? | How do I disable the firewall?
Should I buy shares now? | Should I sell shares now?
The price will increase. | The price will decrease.
What happened before the merge? | What happened after the merge?
Send money to my account. | Send money from my account.
Sort in ascending order. | Sort in descending order.
The most common mistakes | The least common mistakes
Turn the light on. | Turn the light off.
upload the file | download the file
How do I start the container? | How do I stop the container?
The risk of rain decreases but the wind increases. | The risk of rain increases but the wind decreases.
Is the shop open on Monday? | Is the shop open on Tuesday?
Write it in Java. | Write it in Rust.
How do I delete a file? | How do I avoid deleting a file?
""")
OPPOSITES_PASS = pairs("""
How do I switch on the firewall? | How do I switch the firewall on?
Delete the file from the folder. | Remove the file from the folder.
I want to start and stop the server. | I want to start and stop the server now.
""")

QUESTION_STOPS = pairs("""
How do I reset the router? | Why do I reset the router?
How many files are there? | Which files are there?
When was it built? | Where was it built?
Who wrote the report? | When was the report written?
How long does the flight take? | How much does the flight cost?
How do I delete my account? | Can I delete my account?
Why is my order late? | When will my order arrive?
Should I update the driver? | How do I update the driver?
How often should I water it? | How much should I water it?
What happens when I merge? | How do I merge?
""")
QUESTION_PASSES = pairs("""
How do I reset the router? | What is the best way to reset the router?
How do I reset the router? | How can I reset the router?
What is the reason for the delay? | Why is there a delay?
How expensive is the ticket? | How much does the ticket cost?
Can you tell me how to reset the router? | How do I reset the router?
How come the build is slow? | Why is the build slow?
What is the number of users? | How many users are there?
What time does it open? | When does it open?
""")

SCOPE_STOPS = pairs("""
Delete all files. | Delete some files.
Only admins may log in. | Admins may log in.
Everyone except Tom agreed. | Everyone agreed.
at least five people | at most five people
Show the first entry. | Show the last entry.
It takes more than an hour. | It takes less than an hour.
Most users like it. | All users like it.
""")
SCOPE_PASSES = pairs("""
Delete all files. | Delete every file.
It is not only fast but small. | It is not only fast but also small.
More than five people came. | More than five people have come.
""")

ORDER_STOPS = pairs("""
John gave Mary a book about trains. | Mary gave John a book about trains.
The big man kicked the small ball. | The small man kicked the big ball.
Flights from London to Paris | Flights from Paris to London
Is Python faster than Ruby? | Is Ruby faster than Python?
The dog chased the cat. | The cat chased the dog.
Can cats eat dog food? | Can dogs eat cat food?
Convert JSON to XML. | Convert XML to JSON.
The old bridge replaced the wooden ferry. | The wooden bridge replaced the old ferry.
How do I copy a file from local to remote? | How do I copy a file from remote to local?
Clara is older than Bruno but younger than Edith. | Bruno is older than Clara but younger than Edith.
""")

LANGUAGE_STOPS = pairs("""
How do I install the package on my computer? | Wie installiere ich das Paket auf meinem Rechner?
What is the weather like in the city? | Какая погода в городе?
Where is my order? | 我的订单在哪里
How can I change the password for my account? | ¿Cómo puedo cambiar la contraseña de mi cuenta en el sitio?
""")
LANGUAGE_PASSES = pairs("""
How do I install the package? | how do i install the package
Wie installiere ich das Paket? | Wie installiere ich dieses Paket auf meinem Rechner?
""")

SAME = pairs("""
How do I reset my password? | How can I reset my password?
How do I undo the last commit in git? | how can i undo the last commit in git
Write a haiku about autumn. | Write me a haiku about autumn
I can't log in to my account. | I cannot log in to my account
The suspect was arrested by police on Friday. | Police arrested the suspect on Friday.
How do I change the language of the app? | How can I change the language of the app?
Is it possible to return an item without a receipt? | Is it possible to return an item without receipt?
how to check if a string contains a substring in python | How do I check if a string contains a substring in Python?
On Monday, the company announced its results. | The company announced its results on Monday.
What is the capital city of Australia? | What's the capital city of Australia?
""")
"""Rewrites that the whole judgement serves at 0.95 with the bundled embedder."""

DIFFERENT = [
    *NEGATION_STOPS,
    *NUMBERS_STOP,
    *ENTITIES_STOP,
    *OPPOSITES_STOP,
    *QUESTION_STOPS,
    *SCOPE_STOPS,
    *ORDER_STOPS,
    *LANGUAGE_STOPS,
    *pairs("""
How can I lose weight in 2 weeks? | How can I lose weight in 2 months?
What are the symptoms of diabetes? | What are the causes of diabetes?
What is the population of India? | What is the area of India?
What is machine learning? | What is deep learning?
How do I delete my Facebook account? | How do I delete my Instagram account?
Is it safe to eat raw eggs? | Is it safe to eat raw fish?
What are the best restaurants in Rome? | What are the best hotels in Rome?
How do I write unit tests in Go? | How do I write integration tests in Go?
What does git fetch do? | What does git pull do?
How do I install numpy? | How do I install numpy without internet?
What is the default port of Redis? | What is the default password of Redis?
Write a poem about love. | Write a story about love.
How can I make my girlfriend happy? | How can I make my girlfriend jealous?
Describe the benefits of exercise for adults. | Describe the benefits of exercise for children.
What is the meaning of life? | What is the meaning of death?
Give me three tips for public speaking. | Give me five tips for public speaking.
Was Einstein a good student? | Was Einstein a good teacher?
My phone won't charge. | My phone won't turn on.
"""),
]
"""Traps that must never be served, whatever the cosine."""
