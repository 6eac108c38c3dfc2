//! Small scenes on one LoopBot, each about one idea of the book, each made to be recorded.
