"""Questions, replies and how they were read, to be looked at: one layer of queries for the report and the server.

A run's folder gets

    view/questions.parquet   each question in each language, numbered
    view/replies.parquet     each reply with what was made of it, sorted by question and language
    view/index.arrow         what is filtered and searched by, in the same order, mapped into memory
    review_requests.jsonl    what was marked for review
"""
