"""Training of the fold network: cloth that buckles, under made-up dyes and lights."""
