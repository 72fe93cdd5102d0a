"""A recording and its text -> when each word is spoken.

``text`` splits the text into words and segments; ``spelling`` finds the columns of each word, with
``readings`` for digits and foreign letters; ``trellis`` lays out the states; ``anchors`` finds
where a window of speech is in the text; ``viterbi`` is the search, ``backpointers`` keeps where
its paths came from, ``aligner`` runs it window by window; ``times`` turns frames into words;
``pipeline`` does all of it for a recording.
"""
