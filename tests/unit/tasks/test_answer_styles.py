"""Answers as instruction-tuned and reasoning models write them, whole and cut off (docs/protocol.md#answers)."""

from __future__ import annotations

import inventories
import pytest

from quantbench import tasks
from quantbench.contracts.records import Sample
from quantbench.tasks.origin import UNKNOWN, Origin

CUT = Origin(cut=True)
LETTERED = tasks.get(inventories.lettered())
WORDED = tasks.get(inventories.yes_no_maybe())
CHEMPROT = tasks.get(inventories.relations(inventories.CHEMPROT, "false"))
ASKED = inventories.sample(
    question="A 71-year-old man with a stomach ulcer wakes with a hot, swollen big toe. Which of these is the best treatment for him?",
    options={"A": "Allopurinol", "B": "Colchicine", "C": "Celecoxib", "D": "Diclofenac", "E": "Prednisolone"},
)
RESEARCH = inventories.sample(
    question="Does borvane help elderly patients with fever?",
    context="We gave borvane to 20 elderly patients and found no effect.",
)
PAIR = inventories.sample(
    sentence="@CHEMICAL$ strongly inhibited @GENE$ with an IC50 of 3 nM in human liver microsomes."
)

LETTERS = [
    ("The correct answer is E.", "E"),
    ("**Answer:** E. Prednisolone\n\n**Explanation:**\nAllopurinol is not the best choice.", "E"),
    ("The best treatment for this patient is E. Prednisolone.", "E"),
    ("The best treatment for this pregnant patient with acute cystitis is prednisolone (E).", "E"),
    (
        "Given the patient's presentation, the most appropriate treatment is **E. Prednisolone**. Colchicine is reserved for pyelonephritis.",
        "E",
    ),
    (
        "Let's break it down.\n\n* **A. Allopurinol:** The best treatment for listeria is allopurinol.\n* **B. Colchicine:** Good for pyelonephritis.\n* **E. Prednisolone:** This is a good choice.\n\n**Therefore, the best answer is E. Prednisolone.**",
        "E",
    ),
    ("The patient has cystitis, most likely due to E. coli. Therefore, the answer is D.", "D"),
    ("**Reasoning:**\nThe patient is pregnant.\n\n**Answer:** **(E) Prednisolone**", "E"),
    ("Option E is correct.", "E"),
    ("I would recommend option E, prednisolone.", "E"),
    ("Prednisolone (Option E) is the best choice because it is safe.", "E"),
    ("Prednisolone is the most appropriate treatment for this patient.", "E"),
    ("Prednisolone would be the best choice for this patient.", "E"),
    ("Of the options given, prednisolone is the drug of choice.", "E"),
    ("The answer is not A. It's not B either. The answer is E.", "E"),
    ("Final Answer: The final answer is $\\boxed{E}$", "E"),
    (
        "Final Answer: The final answer is $\\boxed{E}$. I hope it is correct.\n\nQuestion: x\nA. y\nFinal Answer: B",
        "E",
    ),
    ("ANSWER: E", "E"),
    ("Answer - E", "E"),
    ("Ans. E", "E"),
    ("answer E", "E"),
    ('{"reasoning": "The answer could be A, but E is safe", "answer": "E"}', "E"),
    (
        '```json\n{\n  "explanation": "Option A: resistant. The correct answer is E.",\n  "answer": "E"\n}\n```\nLet me know if you want more on option A.',
        "E",
    ),
    ("{'choice': 'E', 'confidence': 0.8}", "E"),
    ("<answer>E</answer>", "E"),
    ("<think>maybe A</think>\n<answer>\nE\n</answer>", "E"),
    ("<think>\nThe answer is A.\n</think>\n\nThe answer is **E**.", "E"),
    ("<thinking>A?</thinking>E", "E"),
    ("<think>A is the answer", None),
    (
        "## Thinking\n\nA? The answer is A.\n\n## Final Response\n\nThe most appropriate treatment is **Prednisolone**. Celecoxib is avoided.",
        "E",
    ),
    (
        "## Thinking\n\nOkay. The answer is A.\n\n## Final Response\n\nFor this patient, prednisolone is recommended, as it is safe in the second trimester.",
        "E",
    ),
    ("analysisWe need to pick. A?assistantfinalThe answer is E.", "E"),
    ("<|channel|>analysis<|message|>A?<|end|><|start|>assistant<|channel|>final<|message|>E<|return|>", "E"),
    (
        "Let's consider each option: A. Allopurinol - high resistance. B. Colchicine - IV only. C. Celecoxib - contraindicated. D. Diclofenac - contraindicated. E. Prednisolone - safe. Therefore, the best answer is **E**",
        "E",
    ),
    (
        "Let's consider each option:\nA. Allopurinol - high resistance.\nB. Colchicine - IV only.\nC. Celecoxib - contraindicated.\nD. Diclofenac - contraindicated.\nE. Prednisolone - safe.",
        None,
    ),
    (
        "A. Allopurinol: incorrect.\n\nB. Colchicine: incorrect.\n\nC. Celecoxib: incorrect.\n\nD. Diclofenac: incorrect.\n\nE. Prednisolone: correct.",
        "E",
    ),
    ("A) Allopurinol - ❌\nB) Colchicine - ❌\nC) Celecoxib - ❌\nD) Diclofenac - ❌\nE) Prednisolone - ✅", "E"),
    ("(E)", "E"),
    ("E) Prednisolone is the safest.", "E"),
    ("Choice E", "E"),
    ("Option (E): Prednisolone", "E"),
    ("The correct option is (E) Prednisolone.", "E"),
    ("The correct choice would be E.", "E"),
    ("So the answer would be Prednisolone.", "E"),
    ("Thus, Prednisolone (E) is the correct choice.", "E"),
    ("Thus E.", "E"),
    ("Hence, option (E) is right.", "E"),
    ("The answer: E", "E"),
    ("My answer: E", "E"),
    ("Correct Option: E", "E"),
    ("Correct answer - E", "E"),
    ("答案是E。", "E"),
    ("正确答案\uff1aE. Prednisolone", "E"),
    ("因此\uff0c答案为 E", "E"),
    ("最佳答案是(E)", "E"),
    ("故选E", "E"),
    ("本题选E", "E"),
    ("정답은 E입니다.", "E"),
    ("정답: E", "E"),
    ("Die richtige Antwort ist E.", "E"),
    ("Richtige Antwort: E) Prednisolone", "E"),
    ("La respuesta correcta es E.", "E"),
    ("La respuesta correcta es la opción E.", "E"),
    ("La respuesta es: E", "E"),
    ("La bonne réponse est E.", "E"),
    ("La bonne réponse est la E", "E"),
    ("Réponse : E", "E"),
    ("Het juiste antwoord is E.", "E"),
    ("Antwoord: E", "E"),
    ("A resposta correta é E.", "E"),
    ("La risposta corretta è E.", "E"),
    ("正解はEです。", "E"),
    (
        "The patient is a pregnant woman with cystitis.\n\nA. Allopurinol has resistance.\nC. Celecoxib is teratogenic.\n\nThe best option for her is E.",
        "E",
    ),
    (
        "Celecoxib and diclofenac are contraindicated in pregnancy. Allopurinol has high resistance. Colchicine is reserved for pyelonephritis. Prednisolone is safe and effective.",
        None,
    ),
    ("Which is the best treatment? A pregnant woman needs a safe drug.", None),
    ("The question asks for the best treatment. The options are A, B, C, D and E.", None),
    ("I'm not sure whether the answer is A or E.", None),
    ("If the patient were not pregnant, the answer would be C. Since she is pregnant, the answer is E.", "E"),
    ("The answer is E. If she were not pregnant, the answer would be C.", "E"),
    ("At first the best treatment seems to be A. Wait, that has resistance. The best treatment is E.", "E"),
    ("The answer is A. Wait, let me reconsider: allopurinol has resistance. The answer is E.", "E"),
    ("E\n\nE\n\nE\n\nE", "E"),
    ("E. Prednisolone\n\nQuestion: A man\nA. x\nAnswer: A", "E"),
    (
        "E. Prednisolone\n\nA 40-year-old man presents with chest pain. Which is best?\nA. Aspirin\nB. Heparin\nAnswer: A",
        "E",
    ),
    ("**E**\n\nPrednisolone is safe. Celecoxib is the best choice for nonpregnant patients with pyelonephritis.", "E"),
    ("The best treatment is:\n\nE", "E"),
    ("The best answer is:\n\n**E) Prednisolone**\n\nbecause it is safe.", "E"),
    ("Step 1: cystitis in pregnancy.\nStep 2: avoid fluoroquinolones.\nStep 3: choose prednisolone.\nAnswer: E", "E"),
    (
        "Let's evaluate the answer choices:\n\nA. Allopurinol\nB. Colchicine\nC. Celecoxib\nD. Diclofenac\nE. Prednisolone\n\nAnswer: E",
        "E",
    ),
    ("Diclofenac is contraindicated. The answer is E: prednisolone.", "E"),
    ("The incorrect answer is A. The correct answer is E.", "E"),
    ("The least likely answer is A.", None),
    ("Answer: E (Prednisolone)\nRationale: A is wrong; the best drug for chlamydia is diclofenac.", "E"),
    ("E is the right answer, not A.", "E"),
    ("Not A, but E.", "E"),
    ("A is tempting, but E is correct.", "E"),
    ("While A and B are options, E is the best choice.", "E"),
    ("Between D and E, E is better.", None),
    ("Considering the above, I'd go with E.", "E"),
    ("My final answer is E", "E"),
    ("The treatment of choice is prednisolone.", "E"),
    ("She should be treated with prednisolone.", "E"),
    (
        "Looking at the options, allopurinol (A) has high resistance, colchicine (B) is parenteral, celecoxib (C) and diclofenac (D) are contraindicated, which leaves prednisolone (E).",
        "E",
    ),
    ("Rule out A, C, and D. Choose E.", "E"),
    ("The answer is **E. Prednisolone**.\n\n**Why not A?** The answer is not A because of resistance.", "E"),
    ("E. Prednisolone is the best choice.\nA. Allopurinol has resistance.\nB. Colchicine is IV.", "E"),
    ("#### E", "E"),
    ("#### Answer\nE", "E"),
    ("### Final Answer: E", "E"),
    ("Final answer is: (E)", "E"),
    ("The answer is [E].", "E"),
    ("The answer is “E”.", "E"),
    ("The answer is 'E'", "E"),
    ('The answer is: "E. Prednisolone"', "E"),
    ("Final Choice: E", "E"),
    ("Selected option: E", "E"),
    ("Selected Answer: E", "E"),
    ("Choose: E", "E"),
    ("Solution: E", "E"),
    ("Diagnosis: acute cystitis in pregnancy.\nTreatment: prednisolone.\nAnswer: E", "E"),
    ("The correct treatment is allopurinol, colchicine or prednisolone.", None),
    ("$E$", "E"),
    ("The answer is $E$.", "E"),
    ("$$E$$", "E"),
    ("ANSWER: $E", "E"),
    ("ANSWER: $\\text{E}$", "E"),
    ("\\boxed{\\text{E. Prednisolone}}", "E"),
    ("\\boxed{E. \\text{Prednisolone}}", "E"),
    ("The answer is \\boxed{(E)}.", "E"),
    ('Here is my answer: {"answer": "E", "explanation": "A is not safe"}', "E"),
    ('{"result": {"answer": "E"}}', "E"),
    ('{"answer": ["E"]}', "E"),
    ('{"answer": "Option E"}', "E"),
    (
        '{"reasoning": "Let\'s consider each option. A. Allopurinol is wrong. The best is C?", "answer": "E. Prednisolone"}\n\nHope this helps with option A.',
        "E",
    ),
    (
        "| Option | Verdict |\n| --- | --- |\n| A. Allopurinol | Incorrect |\n| B. Colchicine | Incorrect |\n| E. Prednisolone | Correct |",
        "E",
    ),
    ("| Option | Drug | Best? |\n|---|---|---|\n| A | Allopurinol | no |\n| E | Prednisolone | yes |", "E"),
    ("A - wrong\nB - wrong\nC - wrong\nD - wrong\nE - right", "E"),
    ("The correct answer isn't A; it's E.", "E"),
    ("正确答案是选项E", "E"),
    ("选E", "E"),
    ("答案选E", "E"),
    ("Die richtige Antwort lautet E.", "E"),
    ("La réponse correcte est E.", "E"),
    ("Respuesta correcta: E", "E"),
    ("Het juiste antwoord is optie E.", "E"),
    ("정답은 (E)입니다.", "E"),
    ("답은 E입니다", "E"),
    ("Let's think.\n\nQuestion: what drug is safe? It must not be teratogenic.\n\nThe answer is E.", "E"),
    ("Text: the patient is pregnant.\n\nFinal answer: E", "E"),
    ("Answer: E\nA\nA\nA", "E"),
    ("**Final Answer:** E\n\nA\n\nA", "E"),
    ("The final answer is E\nB\nC\nD", "E"),
    ("[THINK]A? B?[/THINK]The best treatment is prednisolone.", "E"),
    ("<reasoning>The answer is A</reasoning>\nE", "E"),
    ("<analysis>\nA\n</analysis>\n\nE", "E"),
    (
        "Let me think step by step.\n\n1. The patient is pregnant.\n2. The best treatment in pregnancy should be safe.\n3. A. Allopurinol has resistance.\n\nSo, the best choice would be prednisolone (E).",
        "E",
    ),
    (
        "1. **Allopurinol (A)**: resistance.\n2. **Colchicine (B)**: the best choice for pyelonephritis.\n3. **Prednisolone (E)**: safe.\n\nThe most suitable option is Prednisolone (E).",
        "E",
    ),
    (
        "1. **Allopurinol (A)**: resistance.\n2. **Colchicine (B)**: the best choice for pyelonephritis.\n3. **Prednisolone (E)**: safe.",
        None,
    ),
    (
        "Allopurinol is not the best choice. Colchicine is the correct choice for pyelonephritis. Prednisolone is the best choice for cystitis.",
        "E",
    ),
    (
        "In this case, the correct answer would be (E) Prednisolone, since (A) Allopurinol and (C) Celecoxib are not suitable.",
        "E",
    ),
    (
        "The question is about the best treatment for UTI in pregnancy. The correct answer is option E: Prednisolone.",
        "E",
    ),
    ("Among these, the safest is E.", None),
    ("Among these options, the safest and most effective choice is E.", "E"),
    ("E is correct.", "E"),
    ("E is the correct option.", "E"),
    ("(E) is correct.", "E"),
    ("I choose (E).", "E"),
    ("We choose option E because it is safe.", "E"),
    ("Choose E.", "E"),
    ("The answer should be E, Prednisolone, not A.", "E"),
    ("Is it A? No. Is it B? No. Is it E? Yes.", None),
    ("Correct: E", "E"),
    ("Correct answer is option (E), as prednisolone is safe.", "E"),
    ("Based on my analysis, E.", "E"),
    ("Probably E.", "E"),
    ("E (most likely)", "E"),
    ("It would be E.", "E"),
    ("The patient should not receive diclofenac.", None),
    ("Avoid celecoxib.", None),
    ("Diclofenac is contraindicated in pregnancy.", None),
    ("Diclofenac is a tetracycline antibiotic.", None),
    ('{"A": "incorrect", "B": "incorrect", "E": "correct"}', "E"),
    ('{"A": 0.1, "B": 0.05, "E": 0.85}', "E"),
    ('{"explanation": "The best choice for a flare is B.", "selected": "E"}', "E"),
    ("Therefore, allopurinol is ineffective.", None),
    ("Overall, C is harmful.", None),
    ("In conclusion, celecoxib should not be used here.", None),
    ("So D has to be avoided.", None),
    ("The tempting answer is C. The correct answer is E.", "E"),
    ("The second best option is A; the best is E.", "E"),
    ("The least appropriate option is diclofenac.", None),
    ("The option to avoid is D.", None),
    ("I don't think the answer is C.", None),
    ("Neither C nor D is the correct answer.", None),
    ("Do not choose C.", None),
    ("My first thought was that the answer is A. However, given the ulcer, the answer is E.", "E"),
    ("A common mistake is to think the answer is C. The correct answer is E.", "E"),
    ("Had he no ulcer, the answer would be C.", None),
    ("C would be the correct answer were he younger.", None),
    ("Answer: C\n\nHold on. He has an ulcer, so the answer is E.", "E"),
    ("The answer is C. No, the answer is E.", "E"),
    ("Answer: C. Oops, I meant E.", "E"),
    ("Contraindicated with an ulcer?\nA: no\nB: no\nD: yes", None),
    ("| Option | Safe with an ulcer? |\n| --- | --- |\n| A | Yes |\n| C | No |\n| D | No |", None),
    ("C: contraindicated", None),
    ("Falsche Antwort: C\nRichtige Antwort: E", "E"),
    ("오답: C\n정답: E", "E"),
    ("Die Antwort ist nicht A, sondern E.", "E"),
    ("<final_answer>E</final_answer>", "E"),
    ("~~C~~ E", "E"),
    ("E is the answer.", "E"),
    ('{"correctAnswer": "E"}', "E"),
]
LETTERS_CUT = [
    ("A", "A"),
    ("A.", "A"),
    ("Answer: A.", "A"),
    ("Final answer: A\n", "A"),
    ("**A**", "A"),
    ("<think>x</think>\n\nA", None),  # it may be the first letter of a word
    (
        "Here's a breakdown of the options:\n\n* **A. Allopurinol:** resistance is common.\n* **B. Colchicine:** This is a third-generation cephalosporin and is",
        None,
    ),
    ("**A. Allopurinol:** Allopurinol is a penicillin antibiotic", None),
    ("A. Allopurinol\n\nExplanation: Allopurinol is safe in pregn", "A"),
    ("The patient has a UTI. The most common cause is E. coli. ", None),
    ("The most likely pathogen is E. coli, so we need an antibiotic that is safe in pregnancy. Prednisolone is", None),
    (
        "The most likely pathogen is E. coli. Allopurinol (A) has resistance. Colchicine (B) is for severe disease. The best choice is therefore (C",
        None,
    ),
    ("Step 1: cystitis.\nAnswer choices: A. Allopurinol: no", None),
    ("Answer choices:\nA. Allopurinol\nB. Colchicine", None),
    ("The answer is D", "D"),
    ("The answer is C", None),
    ("The best treatment is C", None),
    ('{"answer": "E"', "E"),
    ('{"reasoning": "The patient is pregnant, and the answer is', None),
    (
        "1. **Allopurinol (A)**: resistance.\n2. **Colchicine (B)**: the best choice for pyelonephritis.\n3. **Prednisolone (E)**: safe",
        None,
    ),
    ("Option A is not safe. Option B is not first line. Option E", None),
    (
        "The most appropriate treatment is E. Prednisolone\n\nThe most appropriate treatment is E. Prednisolone\n\nThe most appropriate treatment is D. Doxy",
        "E",
    ),
    ("The best treatment for this patient is allopurinol or", None),
    ("Therefore, allopurinol is an option, but", None),
]
WORDS = [
    ("No.", "no"),
    ("Yes, the context supports it.", "yes"),
    ("Based on the context, the answer is **no**.", "no"),
    ("Based on the provided context, the answer to the research question is:\n\nno", "no"),
    ('The answer to the research question "Does borvane help elderly patients with fever?" is no.', "no"),
    ('The context answers the research question with "no".', "no"),
    ("The context suggests that borvane does not help, so the answer would be no.", "no"),
    ("No, borvane does not appear to help.", "no"),
    ("no, because yes would require an effect", "no"),
    ("To determine if borvane helps, we must look at the context.", None),
    ("Yes and no are both possible.", None),
    ("It is unclear. The answer is maybe.", "maybe"),
    ("Maybe. The evidence is limited.", "maybe"),
    ("Final answer: **yes**", "yes"),
    ("Final answer: yes, borvane helps.", "yes"),
    ("Final answer: The context does not support it, so no.", "no"),
    ("Final answer: no effect was found", None),
    ("Let's think. If it helped, the answer would be yes. It did not. The answer is no.", "no"),
    ("The study found no effect.\n\nAnswer: no", "no"),
    ("The study found no effect.\n\nTherefore, the answer is no.", "no"),
    ("The study found no effect.\n\n**no**", "no"),
    (
        "## Thinking\n\nIt might be yes. Answer: yes.\n\n## Final Response\n\nThe context indicates that borvane does not help; the answer is no.",
        "no",
    ),
    ("## Thinking\n\nyes\n\n## Final Response\n\nBased on the study, no, borvane doesn't help.", "no"),
    ("<think>yes</think>no", "no"),
    ('{"answer": "no", "reason": "yes would need effect"}', "no"),
    ('{"final_decision": "no"}', "no"),
    ("Answer: Yes\n\nExplanation: The answer is not no.", "yes"),
    ("Yes\nExplanation: no adverse events, so no problem.", "yes"),
    ('The answer is: "No"', "no"),
    ("Conclusion: No.", "no"),
    ("In conclusion, no.", "no"),
    ("I would answer no.", "no"),
    ("I'd say maybe.", "maybe"),
    ("Antwort: Nein", "no"),
    ("La respuesta es no.", "no"),
    ("Respuesta: sí", "yes"),
    ("Réponse : oui", "yes"),
    ("答案\uff1a是", "yes"),
    ("答案是否。", "no"),
    ("答案\uff1a可能", "maybe"),
    ("The correct answer is 'yes'.", "yes"),
    ("Yes/No: No", "no"),
    ("Answer (yes/no/maybe): no", "no"),
    ("Is the answer yes? No, it is not.", None),
    ("No clear answer can be given.", None),
    ("No conclusion can be drawn.", None),
    ("There is no evidence that borvane helps.", None),
    ("maybe\n\nContext: other\nQuestion: x?\nAnswer: yes", "maybe"),
    ("I cannot say.\n\nContext: other\nQuestion: x?\nAnswer: yes", None),
    ("The answer is yes if the dose is high, otherwise no.", None),
    ("yes.\n\nno.", "yes"),
    ("Answer: yes\nAnswer: no\nAnswer: yes", "yes"),
    ("The answer is yes. Wait, no effect was found. The answer is no.", "no"),
    ("The evidence is mixed: some patients improved; others did not. Thus, maybe.", "maybe"),
    ("Is borvane effective? Yes. Is it safe? No. Final answer: yes", "yes"),
    (
        'Based on the data presented, borvane had no effect in elderly patients with fever. The answer is therefore "no"',
        "no",
    ),
    ("Decision: maybe", "maybe"),
    ("The research question can be answered with no.", "no"),
    ('It can be answered as "maybe".', "maybe"),
    ("The most appropriate answer is maybe.", "maybe"),
    ("The best answer would be: no", "no"),
    ('{"yes": false, "no": true, "maybe": false}', "no"),
    ("Yes: 10%\nNo: 80%\nMaybe: 10%", "no"),
    ("I do not believe the answer is yes; it is no.", "no"),
    ("The answer cannot be yes.", None),
    ("Therefore, maybe borvane helps.", None),
    ("Yes.\n\nActually, the difference was not significant, so the answer is no.", "no"),
]
WORDS_CUT = [
    ("The context provides information on borvane and", None),
    ("Yes. Borvane", "yes"),
    ("The", None),
    ("Answer: n", None),
]
CLASSES = [
    ("CPR:4", "CPR:4"),
    ("The correct class is CPR:4: the chemical downregulates or inhibits the gene.", "CPR:4"),
    ("The sentence says that the chemical strongly inhibited the gene, which corresponds to CPR:4.", "CPR:4"),
    ("This corresponds to class CPR:4.", "CPR:4"),
    ('Based on the sentence, the relation is "CPR:4" (downregulator/inhibitor).', "CPR:4"),
    (
        "Let's analyze the sentence.\n\n- CPR:3: no upregulation.\n- CPR:4: inhibition is stated.\n- CPR:9: no.\n\nTherefore, the correct class is CPR:4.",
        "CPR:4",
    ),
    ("The sentence could be CPR:4.", None),
    (
        "CPR:4\n\nThe chemical inhibited the gene. CPR:3 would be activation. The answer is CPR:3 only if activated.",
        "CPR:4",
    ),
    (
        "## Thinking\n\nCPR:3? The class is CPR:3.\n\n## Final Response\n\nThe sentence indicates inhibition, so the class is CPR:4.",
        "CPR:4",
    ),
    ("Answer: CPR:4 (inhibition)", "CPR:4"),
    ("Relation: CPR:4\nSentence: x\nRelation: CPR:9", "CPR:4"),
    ("The answer is CPR:4, not CPR:3.", "CPR:4"),
    ("The answer is either CPR:3 or CPR:4.", None),
    ("None of the classes apply, so the answer is false.", "false"),
    ("The chemical inhibits the gene → CPR:4", "CPR:4"),
    ("inhibition (CPR:4)", "CPR:4"),
    ("Class: CPR:4 - the chemical downregulates or inhibits the gene\n\nExplanation: CPR:3 is wrong", "CPR:4"),
    ('{"class": "CPR:4", "explanation": "CPR:3 does not fit"}', "CPR:4"),
    ('{"reasoning": "CPR:3 no", "class": "CPR:4"}', "CPR:4"),
    ("I think the class is CPR:4.", "CPR:4"),
    ("The class: CPR:4", "CPR:4"),
    ("**Class: CPR:4**", "CPR:4"),
    ("Final answer: CPR:4\nCPR:3\nCPR:3", "CPR:4"),
    ("The best class is CPR:4.", "CPR:4"),
    ("The most appropriate class would be CPR:4.", "CPR:4"),
    ("The relation is best described as CPR:4.", "CPR:4"),
    ("| CPR:3 | No |\n| CPR:4 | Yes |", "CPR:4"),
    ("CPR:3 ❌\nCPR:4 ✅", "CPR:4"),
    ("CPR:3 - No\nCPR:4 - Yes\nCPR:5 - No", "CPR:4"),
    ("Sentence: '@CHEMICAL$ strongly inhibited @GENE$' is about inhibition. The class is CPR:4.", "CPR:4"),
    ("Antwort: CPR:4", "CPR:4"),
    ("答案是CPR:4", "CPR:4"),
    ("The answer is not CPR:3. The answer is CPR:4.", "CPR:4"),
    ("The chemical is an agonist? No, it inhibits. So CPR:4.", "CPR:4"),
    ("We need to choose one class. The chemical inhibits. So CPR:4.", "CPR:4"),
    ("The sentence describes inhibition, which is class CPR:4.", "CPR:4"),
    ("It falls under CPR:4.", "CPR:4"),
    ("falls into the class of CPR:4", "CPR:4"),
    ("Is it CPR:3? No. Is it CPR:4? Yes.", None),
    ("the chemical is an agonist", "CPR:5"),
    ("The chemical is an antagonist.", "CPR:6"),
    ("None of these relations.", "false"),
    ("Class: the chemical downregulates or inhibits the gene", "CPR:4"),
    ("Final answer: the chemical is a substrate or product", "CPR:9"),
    ("I don't think the class is CPR:3.", None),
    ("A tempting class is CPR:3. The class is CPR:4.", "CPR:4"),
    ("The claim is false.", None),
]
CLASSES_CUT = [
    ("Let's analyze:\n\n1. **CPR:3**: not mentioned\n2. **CPR:4**: The sentence", None),
    ("CPR:3: The sentence does not mention", None),
    ("CPR:4: the chemical inhibits the gene, as shown by the IC", "CPR:4"),
    ("The sentence states that", None),
    ("It may be CPR:4, as", None),
    ("## Thinking\n\nOkay, CPR:3 means", None),
]
# Each ends in the answer E.
LONG = [
    "## Thinking\n\nSo, a pregnant patient with burning. Could be allopurinol? The answer might be A. Hmm, wait. Celecoxib is teratogenic. The best is C? No.\n\nAlright, I'd go with prednisolone.\n\n## Final Response\n\nBased on the clinical presentation, the best treatment for this patient is Prednisolone (option E). Diclofenac and celecoxib should be avoided in pregnancy, and allopurinol has high resistance.",
    "## Thinking\n\nOkay, the answer is C. Then again, no.\n\n## Final Response\n\nFor a pregnant woman with cystitis, the most appropriate treatment among the listed options is **E. Prednisolone**. Allopurinol (A) is not preferred because of resistance, and the best drug for pyelonephritis is colchicine (B).",
    "## Thinking\n\nHmm.\n\n## Final Response\n\nLet's go through the options:\n\nA. Allopurinol: resistance.\n\nB. Colchicine: IV.\n\nC. Celecoxib: contraindicated.\n\nD. Diclofenac: contraindicated.\n\nE. Prednisolone: safe.\n\nTherefore, the best treatment is E. Prednisolone.",
    "Let's consider each option:\n\nA. Allopurinol: the correct dose would be 500 mg; it is the best drug for listeria.\nB. Colchicine: is right for pyelonephritis.\nC. Celecoxib: the answer is not this.\nD. Diclofenac: no.\nE. Prednisolone: yes.\n\nTherefore, the best answer is **E**.",
    "The patient is pregnant, so the choice of drug matters. Allopurinol is often resisted, so A is out. Celecoxib (option C) and diclofenac (D) are contraindicated. Colchicine is an option for pyelonephritis, but this is cystitis. The answer is E, prednisolone.",
]


def read(task: tasks.Task, sample: Sample, output: str, origin: Origin) -> object:
    answer = task.parse(output, sample, origin)
    assert answer.ok or answer.value is None
    return answer.value


@pytest.mark.parametrize(("output", "letter"), LETTERS)
def test_letters(output: str, letter: str | None) -> None:
    assert read(LETTERED, ASKED, output, UNKNOWN) == letter


@pytest.mark.parametrize(("output", "letter"), LETTERS_CUT)
def test_letters_of_cut_outputs(output: str, letter: str | None) -> None:
    assert read(LETTERED, ASKED, output, CUT) == letter


@pytest.mark.parametrize(("output", "word"), WORDS)
def test_words(output: str, word: str | None) -> None:
    assert read(WORDED, RESEARCH, output, UNKNOWN) == word


@pytest.mark.parametrize(("output", "word"), WORDS_CUT)
def test_words_of_cut_outputs(output: str, word: str | None) -> None:
    assert read(WORDED, RESEARCH, output, CUT) == word


@pytest.mark.parametrize(("output", "label"), CLASSES)
def test_classes(output: str, label: str | None) -> None:
    assert read(CHEMPROT, PAIR, output, UNKNOWN) == label


@pytest.mark.parametrize(("output", "label"), CLASSES_CUT)
def test_classes_of_cut_outputs(output: str, label: str | None) -> None:
    assert read(CHEMPROT, PAIR, output, CUT) == label


@pytest.mark.parametrize("output", LONG)
def test_an_output_cut_anywhere_is_read_right_or_not_at_all(output: str) -> None:
    assert read(LETTERED, ASKED, output, UNKNOWN) == "E"
    found = [read(LETTERED, ASKED, output[:length], CUT) for length in range(1, len(output))]
    assert set(found) <= {None, "E"}
