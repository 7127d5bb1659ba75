"""Layer-wise relevance propagation and what paper 001 makes of it: heatmaps, ranks of intensity, and their tests.

==================  ==========================================================================
``lrp``             relevance of every pixel, through zennit, in batches; conservation
``by_hand``         the same for dense layers, written out in NumPy
``ranks``           ten bins, three windows, and a rank by each of two rules
``heatmaps``        pictures of relevance
``head``            a classifier on features that are computed once
``faithfulness``    pixel flipping; relevance by region of the face
``occlusion``       what an answer loses without a block of pixels, and what maps say of it
``intensity``       does any of it measure how strong an expression is?
==================  ==========================================================================

Only the modules that a caller names are imported: ``ranks`` and ``by_hand`` need no torch.
"""
